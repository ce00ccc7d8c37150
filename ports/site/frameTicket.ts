/**
 * Addresses of frames at a site agent: whoever has one may read that frame until it expires, as with a presigned address
 * of the store. The secret is the agent's token, which farm and agent share.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { FarmError } from '../../domain/errors.ts';

/** Which frame. */
export interface FrameTicket {
  studioId: string;
  hash: string;
}

const signatureOf = (token: string, { studioId, hash }: FrameTicket, expires: string): Buffer =>
  createHmac('sha256', token).update(`framewright frame v1\n${studioId}\n${hash}\n${expires}`).digest();

/** The address of a frame at an agent, good until `expiresAt`. */
export function signFrameAddress(agent: { url: string; token: string }, ticket: FrameTicket, expiresAt: Date): string {
  const expires = String(Math.floor(expiresAt.getTime() / 1000));
  const signature = signatureOf(agent.token, ticket, expires).toString('hex');
  const path = `/v1/frames/${ticket.studioId}/${ticket.hash}`;
  return `${agent.url.replace(/\/+$/, '')}${path}?expires=${expires}&signature=${signature}`;
}

/** The frame that an address names. @throws FarmError `NotFound` for another path; `Forbidden` when forged or expired */
export function readFrameAddress(token: string, address: URL, now: Date): FrameTicket {
  const [, studioId, hash] = /^\/v1\/frames\/([0-9a-f-]{36})\/([0-9a-f]{64})$/.exec(address.pathname) ?? [];
  if (!studioId || !hash)
    throw new FarmError('NotFound', 'The site agent has no such path.', { path: address.pathname });
  const expires = address.searchParams.get('expires') ?? '';
  const said = Buffer.from(address.searchParams.get('signature') ?? '', 'hex');
  const right = signatureOf(token, { studioId, hash }, expires);
  if (said.length !== right.length || !timingSafeEqual(said, right)) {
    throw new FarmError('Forbidden', 'The address is not one that the farm signed.');
  }
  if (!(Number(expires) * 1000 > now.getTime()))
    throw new FarmError('Forbidden', 'The address has expired.', { expires });
  return { studioId, hash };
}
