/**
 * Sends a frame to a studio, compressed where that helps. It helps while the link is busy: then the time to compress a
 * block is there anyway. A link that waits for us gets the next block as it is. So a slow link carries little more than
 * compressed blocks, a fast one hardly any, and neither needs to be known beforehand.
 */
import { get as getHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { get as getHttps } from 'node:https';
import { TRANSIT_TYPE } from '../../cli/sdk/delivery/transit.ts';
import { FarmError } from '../../domain/errors.ts';
import type { FrameTicket } from '../../ports/site/frameTicket.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import { BLOCK_BYTES, blocksOf, packBlock, rawBlock } from './transitEncoder.ts';

/** Bytes on their way to the link while the next block is being made. */
const WAITING_BYTES = 2 * BLOCK_BYTES;
/** After a block that did not shrink, so many are sent as they are. */
const BLOCKS_TO_REST = 16;
const ADDRESS_SECONDS = 600;

/** What a studio asks for: `from` is the first byte that it lacks; `always` compresses also for an idle link. */
export interface FrameRequest extends FrameTicket {
  from: number;
  always: boolean;
}

/** @throws FarmError `NotFound`, `StoreFailed`; before anything is sent */
export async function sendFrame(store: ObjectStore, request: FrameRequest, response: ServerResponse): Promise<void> {
  const source = await openFrame(store, request);
  response.on('close', () => source.destroy());
  response.writeHead(request.from > 0 ? 206 : 200, { 'content-type': TRANSIT_TYPE });
  const link = new Link(response);
  let rest = 0;
  for await (const raw of blocksOf(source)) {
    if (response.destroyed) return;
    const pays = request.always || (link.isBusy && rest-- <= 0);
    if (pays) {
      const { bytes, packed } = await packBlock(raw);
      rest = packed ? 0 : BLOCKS_TO_REST;
      await link.send(bytes);
    } else await link.send(rawBlock(raw));
  }
  response.end();
}

/** What waits for the network to take it. */
class Link {
  readonly #response: ServerResponse;
  #waiting = 0;
  #wake = (): void => {};

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('close', () => this.#wake());
  }

  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Returns when there is room for more. */
  async send(bytes: Buffer): Promise<void> {
    this.#waiting += bytes.length;
    this.#response.write(bytes, () => {
      this.#waiting -= bytes.length;
      this.#wake();
    });
    while (this.#waiting > WAITING_BYTES && !this.#response.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

async function openFrame(store: ObjectStore, { studioId, hash, from }: FrameRequest): Promise<IncomingMessage> {
  const url = await store.presignGet({ studioId, kind: 'frames', hash, expiresSeconds: ADDRESS_SECONDS });
  const headers = from > 0 ? { range: `bytes=${from}-` } : {};
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const get = url.startsWith('https:') ? getHttps : getHttp;
    get(url, { headers }, resolve).on('error', (error) =>
      reject(new FarmError('StoreFailed', `The store does not answer: ${error.message}`, { hash })),
    );
  });
  const status = response.statusCode ?? 0;
  if (status === (from > 0 ? 206 : 200)) return response;
  response.destroy();
  if (status === 404) throw new FarmError('NotFound', 'The store has no such frame.', { hash });
  if (status === 416) throw new FarmError('RequestInvalid', 'The frame ends before that byte.', { hash, from });
  throw new FarmError('StoreFailed', `The store answered ${status}.`, { hash, status });
}
