/** The farm's side of the site agent's protocol. */
import { FarmError } from '../../domain/errors.ts';
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
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.ok) {
      const answer = verifyAnswer.safeParse(await response.json());
      if (answer.success) return answer.data;
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FarmError('StoreFailed', `The site agent at ${agent.url} does not answer: ${why}`, { agent: agent.url });
  }
  const why = (await response.text().catch(() => '')).slice(0, 300);
  throw new FarmError('StoreFailed', `The site agent at ${agent.url} answered ${response.status}: ${why}`, {
    agent: agent.url,
    status: response.status,
  });
}
