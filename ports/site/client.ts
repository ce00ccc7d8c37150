/** The farm's side of the site agent's protocol. */
import { FarmError } from '../../domain/errors.ts';
import { ask, bytesOf, type Question } from '../http/ask.ts';
import { type PictureTicket, signPictureAddress } from './frameTicket.ts';
import { type AgentAccess, type VerifyAnswer, type VerifyRequest, verifyAnswer } from './protocol.ts';

/** A frame waits for its turn at the agent, is read and judged: seconds, not minutes, also when the site is busy. */
const ANSWER_MS = 60_000;
/** An address that the farm uses at once lives this long, milliseconds: the clocks of farm and site may differ. */
const ADDRESS_MS = 600_000;

/**
 * Has a frame verified where it lies.
 * @throws FarmError `StoreFailed` when the agent cannot be reached, refuses or fails; the verdict is open then
 */
export function verifyAtSite(agent: AgentAccess, request: VerifyRequest): Promise<VerifyAnswer> {
  const question: Question = {
    method: 'POST',
    headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  };
  const url = `${agent.url.replace(/\/+$/, '')}/v1/verify`;
  return askAgent(agent, url, question, (body) => verifyAnswer.safeParse(JSON.parse(body.toString())).data);
}

/**
 * The picture beside a frame, made smaller where it lies; WebP.
 * @throws FarmError `StoreFailed` when the agent cannot be reached, refuses or fails: an older one knows no pictures
 */
export function pictureFromSite(agent: AgentAccess, ticket: PictureTicket): Promise<Buffer> {
  const url = signPictureAddress(agent, ticket, new Date(Date.now() + ADDRESS_MS));
  return askAgent(agent, url, {}, (body) => body);
}

/** @param read undefined: this is no answer to the question */
async function askAgent<T>(
  agent: AgentAccess,
  url: string,
  question: Question,
  read: (body: Buffer) => T | undefined,
): Promise<T> {
  let status: number | undefined;
  let body: Buffer;
  try {
    const response = await ask(url, { ...question, signal: AbortSignal.timeout(ANSWER_MS) });
    status = response.statusCode;
    body = await bytesOf(response);
    const answer = status === 200 ? read(body) : undefined;
    if (answer !== undefined) return answer;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FarmError('StoreFailed', `The site agent at ${agent.url} does not answer: ${why}`, { agent: agent.url });
  }
  const said = body.toString('utf8', 0, 300);
  throw new FarmError('StoreFailed', `The site agent at ${agent.url} answered ${status}: ${said}`, {
    agent: agent.url,
    status: status ?? null,
  });
}
