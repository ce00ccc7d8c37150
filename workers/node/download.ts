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
/** How long a source may be slow before it is left for another, milliseconds. */
const SLOW_MS = 4_000;
/**
 * What counts as slow: this share of its link, which others use too; or, where the next source promises more by far, this
 * share of its own best rate.
 */
const SLOW_SHARE = 0.05;
const DROPPED_SHARE = 0.15;
/** Of what its link promises, so much may come of the next source when others share it. */
const PROMISED_SHARE = 0.25;

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
  /** Other limits than `STALL_MS` and `SLOW_MS`. */
  stallMs?: number | undefined;
  slowMs?: number | undefined;
}

/**
 * Appends what lacks of the blob.
 * @param sources in the order to try them; each once
 * @throws FarmError what the last source failed with: `HashMismatch`, `StoreFailed`; `DiskFull` at once; the signal's reason
 */
export async function download(
  part: PartFile,
  { hash, sizeBytes }: { hash: string; sizeBytes: number },
  sources: readonly Source[],
  { gateway, signal, onBytes, onBad, stallMs = STALL_MS, slowMs = SLOW_MS }: DownloadOptions,
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
    const pace = new Pace(source.bytesPerSecond, slowMs);
    const [next] = queue;
    const watch = setInterval(() => {
      if (next !== undefined && pace.isSlow(next.bytesPerSecond)) left.abort(new Error('too slow'));
    }, slowMs / 10);
    try {
      const answer = await gateway.download(source.url, {
        ...{ from: part.sizeBytes, sizeBytes: sizeBytes - part.sizeBytes, silenceMs: stallMs },
        signal: AbortSignal.any([signal, left.signal]),
      });
      if (answer.from !== part.sizeBytes) await drop();
      origins.add(source);
      await answer.read((bytes) => {
        if (part.sizeBytes + bytes.length > sizeBytes) {
          throw new FarmError('HashMismatch', `${nameOf(source)} sends more than ${sizeBytes} bytes.`, { hash });
        }
        pace.add(bytes.length);
        onBytes(bytes.length);
        return part.append(bytes);
      });
    } finally {
      clearInterval(watch);
    }
  }
}

/** How fast a source is, looked at over the last `windowMs`: an average from the beginning would hide that it became slow. */
class Pace {
  readonly #linkRate: number | null;
  readonly #windowMs: number;
  /** Bytes that had come at moments of the window, the oldest first. */
  #seen: Moment[] = [{ atMs: performance.now(), bytes: 0 }];
  #bytes = 0;
  /** Bytes a second. */
  #best = 0;

  /** @param linkRate bytes a second; null: not known */
  constructor(linkRate: number | null, windowMs: number) {
    this.#linkRate = linkRate;
    this.#windowMs = windowMs;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** To be asked several times in a window; false before one is over. @param nextRate what the next source's link carries */
  isSlow(nextRate: number | null): boolean {
    const now = performance.now();
    const newest = this.#seen.at(-1)!;
    if (now > newest.atMs) this.#best = Math.max(this.#best, rate(newest, { atMs: now, bytes: this.#bytes }));
    this.#seen.push({ atMs: now, bytes: this.#bytes });
    while (this.#seen[1] && now - this.#seen[1].atMs >= this.#windowMs) this.#seen.shift();
    const oldest = this.#seen[0]!;
    if (now - oldest.atMs < this.#windowMs) return false;
    const recent = rate(oldest, this.#seen.at(-1)!);
    const hasDropped = recent < this.#best * DROPPED_SHARE;
    const nextIsBetter = nextRate === null || recent < nextRate * PROMISED_SHARE;
    return recent < (this.#linkRate ?? 0) * SLOW_SHARE || (hasDropped && nextIsBetter);
  }
}

interface Moment {
  atMs: number;
  bytes: number;
}

const rate = (from: Moment, to: Moment): number => ((to.bytes - from.bytes) / (to.atMs - from.atMs)) * 1000;

/** What went wrong on the way may go right the next time. */
function asPassing(error: unknown, source: Source): FarmError {
  if (error instanceof FarmError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FarmError('StoreFailed', `The bytes from ${nameOf(source)} broke off: ${message}`, {}, { cause: error });
}

const nameOf = ({ site }: Source): string => (site === null ? 'home' : `site ${site}`);
