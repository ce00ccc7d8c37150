/**
 * One blob from whichever source brings it: a source that stalls, is far slower than its link, lies or is gone is left for
 * the next, which goes on where the last one stopped.
 */
import { FarmError } from '../../domain/errors.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { FetchAnswer } from '../../ports/gateway/protocol.ts';
import type { PartFile } from './partFile.ts';

/** Nothing came for so long: the source is left, milliseconds. */
const STALL_MS = 3_000;
/** How long a source may be slow before it is left, and what share of its link counts as slow. */
const SLOW_MS = 4_000;
const SLOW_SHARE = 0.05;

export type Source = FetchAnswer['blobs'][number]['sources'][number];

/** A copy that did not hold what its hash says; site null: home. */
export interface BadCopy {
  hash: string;
  site: string | null;
  offset: number | null;
}

export interface DownloadOptions {
  gateway: Pick<GatewayClient, 'download'>;
  signal: AbortSignal;
  /** Told of bytes that came; negative when they were dropped. */
  onBytes(bytes: number): void;
  onBad(copy: BadCopy): void;
}

/**
 * Appends what lacks of the blob.
 * @param sources in the order to try them; each once
 * @throws FarmError what the last source failed with: `HashMismatch`, `StoreFailed`, `StackNotRunning`; `DiskFull` at once;
 *   the signal's reason
 */
export async function download(
  part: PartFile,
  { hash, sizeBytes }: { hash: string; sizeBytes: number },
  sources: readonly Source[],
  { gateway, signal, onBytes, onBad }: DownloadOptions,
): Promise<void> {
  let failure: unknown = new FarmError('NotFound', `No store is known to hold the blob ${hash}.`, { hash });
  /** Whose bytes are in the part; null: those of an earlier try. */
  let origins = new Set<Source | null>(part.sizeBytes > 0 ? [null] : []);
  const drop = async (): Promise<void> => {
    onBytes(-part.sizeBytes);
    await part.clear();
    origins = new Set();
  };
  /** Set after a mix of sources came to a wrong hash: whoever is wrong shall be known the next time. */
  let unmixed = false;
  const queue = [...sources];
  for (let source = queue.shift(); source; source = queue.shift()) {
    signal.throwIfAborted();
    if (unmixed && part.sizeBytes > 0) await drop();
    try {
      if (part.sizeBytes < sizeBytes || sizeBytes === 0) await read(source);
      if (part.sizeBytes === sizeBytes && part.hash === hash) return;
      throw new FarmError('HashMismatch', `What ${nameOf(source)} holds as ${hash} is something else.`, { hash });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof FarmError && error.code === 'DiskFull') throw error;
      failure = asPassing(error, source);
      if (!(error instanceof FarmError && error.code === 'HashMismatch')) continue;
      if (origins.size === 1 && origins.has(source)) {
        onBad({ hash, site: source.site, offset: part.sizeBytes < sizeBytes ? part.sizeBytes : null });
      } else {
        unmixed = true;
        queue.unshift(source);
      }
      await drop();
    }
  }
  throw failure;

  async function read(source: Source): Promise<void> {
    const left = new AbortController();
    const begin = performance.now();
    let came = 0;
    let lastMs = begin;
    const isLast = queue.length === 0;
    const watch = setInterval(() => {
      const now = performance.now();
      const slow =
        !isLast &&
        source.bytesPerSecond !== null &&
        now - begin > SLOW_MS &&
        came / ((now - begin) / 1000) < source.bytesPerSecond * SLOW_SHARE;
      if (now - lastMs > STALL_MS || slow) left.abort(new Error('too slow'));
    }, STALL_MS / 10);
    try {
      const { from, bytes } = await gateway.download(
        source.url,
        AbortSignal.any([signal, left.signal]),
        part.sizeBytes,
      );
      if (from !== part.sizeBytes) await drop();
      origins.add(source);
      for await (const some of bytes) {
        if (part.sizeBytes + some.byteLength > sizeBytes) {
          throw new FarmError('HashMismatch', `${nameOf(source)} sends more than ${sizeBytes} bytes.`, { hash });
        }
        await part.append(some);
        came += some.byteLength;
        lastMs = performance.now();
        onBytes(some.byteLength);
      }
    } finally {
      clearInterval(watch);
    }
  }
}

/** What went wrong on the way may go right the next time. */
function asPassing(error: unknown, source: Source): FarmError {
  if (error instanceof FarmError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FarmError('StoreFailed', `The bytes from ${nameOf(source)} broke off: ${message}`, {}, { cause: error });
}

const nameOf = ({ site }: Source): string => (site === null ? 'home' : `site ${site}`);
