/** The farm's side of the site agent's protocol. */
import { FarmError } from '../../domain/errors.ts';
import { ask, textOf } from '../http/ask.ts';
import { type VerifyAnswer, type VerifyRequest, verifyAnswer } from './protocol.ts';

/** A frame waits for its turn at the agent, is read and judged: seconds, not minutes, also when the site is busy. */
const ANSWER_MS = 60_000;

/**
 * Has a frame verified where it lies.
 * @param agent base URL of the site's agent and the secret that it shares with the farm
 * @throws FarmError `StoreFailed` when the agent cannot be reached, refuses or fails; the verdict is open then
 */
export async function verifyAtSite(
  agent: { url: string; token: string },
  request: VerifyRequest,
): Promise<VerifyAnswer> {
  const url = `${agent.url.replace(/\/+$/, '')}/v1/verify`;
  let status: number | undefined;
  let text = '';
  try {
    const response = await ask(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    status = response.statusCode;
    text = await textOf(response);
    if (status === 200) {
      const answer = verifyAnswer.safeParse(JSON.parse(text));
      if (answer.success) return answer.data;
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FarmError('StoreFailed', `The site agent at ${agent.url} does not answer: ${why}`, { agent: agent.url });
  }
  throw new FarmError('StoreFailed', `The site agent at ${agent.url} answered ${status}: ${text.slice(0, 300)}`, {
    agent: agent.url,
    status: status ?? null,
  });
}
