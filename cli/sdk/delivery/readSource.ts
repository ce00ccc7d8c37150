/** The bytes of a file of the farm as one stream, wherever they come from and however often a source breaks off. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FarmApiError } from '../errors.ts';
import { brokenOff, type RemoteFile, wrongHash } from './download.ts';
import { openSource, type Source } from './receive.ts';
import { TRANSIT_TYPE } from './transit.ts';
import { decodeTransit } from './transitDecoder.ts';

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  sourcesAgain: () => Promise<Source[]>;
  /** How long sources may give nothing new, milliseconds. */
  patienceMs: number;
  stallMs: number;
  /** Told of what crosses the network. */
  onReceived: (bytes: number) => void;
  /** Which of the sources comes first. */
  first?: number | undefined;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Yields the bytes in order; a source that breaks off or stalls is gone on from where it broke off, there or at another. They
 * are hashed on the way: whoever takes them may believe them only when the stream has ended.
 * @throws FarmApiError `StoreFailed` when no source gives anything new, `HashMismatch` at the end of wrong bytes; the
 * signal's reason
 */
export async function* readSource(file: RemoteFile, options: ReadOptions): AsyncGenerator<Buffer, void, undefined> {
  const { signal, patienceMs, stallMs, onReceived, first = 0 } = options;
  const digest = createHash('sha256');
  let { sources } = file;
  let have = 0;
  let newestAt = performance.now();
  for (let failures = 0; have < file.sizeBytes; ) {
    try {
      const source = sources[(first + failures) % Math.max(1, sources.length)];
      if (source === undefined) throw new Error('no store has it');
      for await (const bytes of readFrom(source, have, { signal, stallMs, onReceived })) {
        if (have + bytes.length > file.sizeBytes) throw wrongHash(file, 'of more bytes', have + bytes.length);
        digest.update(bytes);
        have += bytes.length;
        yield bytes;
        // A slow taker is no silent source.
        newestAt = performance.now();
      }
      if (have < file.sizeBytes) throw new Error('the source ended early');
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if ((error as FarmApiError).code === 'HashMismatch') throw error;
      if (performance.now() - newestAt > patienceMs) throw brokenOff(file, have, error);
      await sleep(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++), undefined, signal ? { signal } : {});
      sources = await options.sourcesAgain().catch(() => sources);
    }
  }
  const hash = digest.digest('hex');
  if (hash !== file.hash) throw wrongHash(file, hash, have);
}

async function* readFrom(
  source: Source,
  from: number,
  { signal, stallMs, onReceived }: Pick<ReadOptions, 'signal' | 'stallMs' | 'onReceived'>,
): AsyncGenerator<Buffer> {
  const response = await openSource(source, from, { signal, stallMs });
  // A source that knows no ranges would begin again, and what was yielded cannot be taken back.
  if (response.statusCode !== (from > 0 ? 206 : 200)) {
    response.destroy();
    throw new Error(`the store answered ${response.statusCode}`);
  }
  if (response.headers['content-type'] === TRANSIT_TYPE) {
    yield* Readable.from(decodeTransit(response, onReceived)) as AsyncIterable<Buffer>;
    return;
  }
  for await (const bytes of response as AsyncIterable<Buffer>) {
    onReceived(bytes.length);
    yield bytes;
  }
}
