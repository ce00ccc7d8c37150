/**
 * Addresses of frames, and of small copies of the pictures beside them, at a site agent: whoever has one may read that until it
 * expires, as with a presigned address of the store. The secret is the agent's token, which farm and agent share.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { FarmError } from '../../domain/errors.ts';
import type { AgentAccess } from './protocol.ts';

/** Which frame. */
export interface FrameTicket {
  studioId: string;
  hash: string;
}

/** Which picture, and how wide it is at most, pixels. */
export interface PictureTicket extends FrameTicket {
  width: number;
}

export const NARROWEST_PICTURE = 16;
export const WIDEST_PICTURE = 8192;

/** The address of a frame at an agent, good until `expiresAt`. */
export const signFrameAddress = (agent: AgentAccess, { studioId, hash }: FrameTicket, expiresAt: Date): string =>
  sign(agent, `/v1/frames/${studioId}/${hash}`, ['framewright frame v1', studioId, hash], expiresAt);

/** The address of a picture at an agent, as WebP, good until `expiresAt`. */
export const signPictureAddress = (agent: AgentAccess, ticket: PictureTicket, expiresAt: Date): string =>
  sign(agent, `/v1/pictures/${ticket.studioId}/${ticket.hash}/${ticket.width}`, pictureWords(ticket), expiresAt);

const pictureWords = ({ studioId, hash, width }: PictureTicket): string[] => [
  'framewright picture v1',
  studioId,
  hash,
  String(width),
];

/** The frame that an address names. @throws FarmError `NotFound` for another path; `Forbidden` when forged or expired */
export function readFrameAddress(token: string, address: URL, now: Date): FrameTicket {
  const [, studioId, hash] = /^\/v1\/frames\/([0-9a-f-]{36})\/([0-9a-f]{64})$/.exec(address.pathname) ?? [];
  if (!studioId || !hash) throw noSuchPath(address);
  requireSigned(token, ['framewright frame v1', studioId, hash], address, now);
  return { studioId, hash };
}

/** The picture that an address names. @throws FarmError as `readFrameAddress` */
export function readPictureAddress(token: string, address: URL, now: Date): PictureTicket {
  const path = /^\/v1\/pictures\/([0-9a-f-]{36})\/([0-9a-f]{64})\/(\d{1,5})$/.exec(address.pathname);
  const [, studioId, hash, digits] = path ?? [];
  const width = Number(digits);
  if (!studioId || !hash || !(width >= NARROWEST_PICTURE && width <= WIDEST_PICTURE)) throw noSuchPath(address);
  requireSigned(token, pictureWords({ studioId, hash, width }), address, now);
  return { studioId, hash, width };
}

const signatureOf = (token: string, words: readonly string[], expires: string): Buffer =>
  createHmac('sha256', token)
    .update([...words, expires].join('\n'))
    .digest();

function sign({ url, token }: AgentAccess, path: string, words: readonly string[], expiresAt: Date): string {
  const expires = String(Math.floor(expiresAt.getTime() / 1000));
  const signature = signatureOf(token, words, expires).toString('hex');
  return `${url.replace(/\/+$/, '')}${path}?expires=${expires}&signature=${signature}`;
}

function requireSigned(token: string, words: readonly string[], address: URL, now: Date): void {
  const expires = address.searchParams.get('expires') ?? '';
  const said = Buffer.from(address.searchParams.get('signature') ?? '', 'hex');
  const right = signatureOf(token, words, expires);
  if (said.length !== right.length || !timingSafeEqual(said, right)) {
    throw new FarmError('Forbidden', 'The address is not one that the farm signed.');
  }
  if (!(Number(expires) * 1000 > now.getTime()))
    throw new FarmError('Forbidden', 'The address has expired.', { expires });
}

const noSuchPath = ({ pathname }: URL): FarmError =>
  new FarmError('NotFound', 'The site agent has no such path.', { path: pathname });
