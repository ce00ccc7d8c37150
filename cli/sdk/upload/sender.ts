/** Brings blobs to the store: asks which are missing, many at a time, and sends those, several at a time. */
import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { FarmClient } from '../client.ts';
import { FarmApiError, refuse } from '../errors.ts';
import type { MissingBlob } from '../types.ts';
import { CHUNKING } from './chunker.ts';
import { Putter } from './put.ts';

/** A blob that the store shall have. */
export interface OfferedBlob {
  hash: string;
  sizeBytes: number;
  /** File that it is of, for messages: relative to the project. */
  path: string;
  /** Its bytes, read when they are sent. @param room `LARGEST_BLOB` bytes that may be used until they are sent */
  read(room: Uint8Array): Promise<Uint8Array>;
}

/** Blobs on their way at the same time: as many bytes as eight of the pieces of 8 MiB that S3 clients send. */
const PARALLEL = 16;
/** Bytes: no chunk is longer, and no pack. */
const LARGEST_BLOB = CHUNKING.largest;
/** Blobs asked for at once; the API takes a thousand. */
const BATCH = 500;
const ATTEMPTS = 5;
/** What MinIO answers when its disk is nearly full; once nothing fits, it is 500 with the system's own words. */
const INSUFFICIENT_STORAGE = 507;

export interface SenderEvents {
  /** Bytes that have reached the store. */
  onSent(bytes: number): void;
  /** Bytes that were there already. */
  onPresent(bytes: number): void;
}

interface Waiting {
  blob: OfferedBlob;
  resolve(): void;
  reject(error: unknown): void;
}

/** Every blob is asked for and sent once, however often it is offered. */
export class BlobSender {
  readonly #client: FarmClient;
  readonly #events: SenderEvents;
  readonly #signal: AbortSignal;
  readonly #putter = new Putter();
  readonly #limit = pLimit(PARALLEL);
  readonly #offers = new Map<string, { blob: OfferedBlob; done: Promise<void> }>();
  readonly #waiting: Waiting[] = [];
  /** Memory to read into, used again: fresh pages for every blob cost as much as the reading. */
  readonly #rooms: Uint8Array[] = [];
  #asking = false;

  constructor(client: FarmClient, events: SenderEvents, signal: AbortSignal) {
    this.#client = client;
    this.#events = events;
    this.#signal = signal;
    // Each request listens; Node would take more than ten for a leak and say so on the terminal.
    setMaxListeners(0, signal);
  }

  /** Resolves when the store has the blob. @throws FarmApiError as `send` */
  offer(blob: OfferedBlob): Promise<void> {
    const known = this.#offers.get(blob.hash);
    if (known) return known.done;
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ blob, resolve, reject }));
    this.#offers.set(blob.hash, { blob, done });
    void this.#ask();
    return done;
  }

  /** Sends what the store turned out to lack after all, of what was offered. */
  async sendAgain(missing: readonly MissingBlob[]): Promise<void> {
    await Promise.all(missing.map((put) => this.#send(this.#offers.get(put.hash)!.blob, put)));
  }

  /** Asks once more for everything that was offered, and sends what the store lacks of it. Returns how many blobs that was. */
  async sendLost(): Promise<number> {
    const offered = [...this.#offers.values()].map(({ blob: { hash, sizeBytes } }) => ({ hash, sizeBytes }));
    let sent = 0;
    for (let from = 0; from < offered.length; from += BATCH) {
      const { missing } = await this.#client.missingBlobs(offered.slice(from, from + BATCH));
      await this.sendAgain(missing);
      sent += missing.length;
    }
    return sent;
  }

  close(): void {
    this.#putter.close();
  }

  /** One question at a time: while it is answered, the next one gathers. */
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    // What is offered in the same moment goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        this.#signal.throwIfAborted();
        const blobs = batch.map(({ blob: { hash, sizeBytes } }) => ({ hash, sizeBytes }));
        const { missing } = await this.#client.missingBlobs(blobs);
        const puts = new Map(missing.map((put) => [put.hash, put]));
        for (const { blob, resolve, reject } of batch) {
          const put = puts.get(blob.hash);
          if (put) {
            this.#send(blob, put).then(resolve, reject);
          } else {
            this.#events.onPresent(blob.sizeBytes);
            resolve();
          }
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#asking = false;
  }

  #send(blob: OfferedBlob, put: MissingBlob): Promise<void> {
    return this.#limit(async () => {
      const room = this.#rooms.pop() ?? Buffer.allocUnsafeSlow(LARGEST_BLOB);
      await this.#put(blob, put, room);
      this.#rooms.push(room);
      this.#events.onSent(blob.sizeBytes);
    });
  }

  /** @throws FarmApiError `SceneInvalid` when the file changed since it was hashed, `DiskFull` of the store, `StoreFailed` */
  async #put(blob: OfferedBlob, first: MissingBlob, room: Uint8Array): Promise<void> {
    let { url, headers } = first;
    for (let attempt = 1; ; attempt++) {
      this.#signal.throwIfAborted();
      const bytes = await blob.read(room);
      let why: string;
      try {
        const { status, text } = await this.#putter.put(url, headers, bytes, this.#signal);
        if (status === 200) return;
        // The address binds the hash: these are other bytes.
        if (status === 400 && text.includes('SHA256')) throw changedFile(blob.path);
        if (status === INSUFFICIENT_STORAGE || text.includes('no space left on device')) throw storeFull(blob.path);
        why = `${status} ${text}`;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (error instanceof FarmApiError) throw error;
        why = error instanceof Error ? error.message : String(error);
      }
      if (attempt >= ATTEMPTS) {
        throw new FarmApiError({
          code: 'StoreFailed',
          detail: `The store did not take a part of "${blob.path}": ${why}`,
          place: { path: blob.path },
          remedy: 'Look at the store ("farm doctor"), then submit again: only what is missing is sent.',
          status: 502,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
      // An address may have run out.
      const again = (await this.#client.missingBlobs([{ hash: blob.hash, sizeBytes: blob.sizeBytes }])).missing[0];
      if (!again) return;
      ({ url, headers } = again);
    }
  }
}

/** A file is not what it was when it was hashed. */
export const changedFile = (path: string): FarmApiError =>
  refuse('SceneInvalid', `"${path}" changed while it was read.`, 'Wait until it is written, then submit again.', {
    path,
  });

const storeFull = (path: string): FarmApiError =>
  new FarmApiError({
    code: 'DiskFull',
    detail: `The farm's store has no space left for a part of "${path}".`,
    place: { path },
    remedy: 'Have the operator free space there ("farm gc"), then submit again: only what is missing is sent.',
    status: INSUFFICIENT_STORAGE,
  });
