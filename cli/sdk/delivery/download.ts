/** One file to the studio's disk: under its name only when whole and right. */
import { mkdir, open as openFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { FarmApiError } from '../errors.ts';
import { diskFull, isDiskFull } from './diskErrors.ts';
import { digestOf, receive, type Source } from './receive.ts';

/** A file that the farm has. */
export interface RemoteFile {
  /** Relative to the folder, forward slashes. */
  name: string;
  hash: string;
  sizeBytes: number;
  /** Addresses of its copies, the best first. */
  sources: Source[];
}

export interface DownloadOptions {
  /** Absolute folder. */
  folder: string;
  signal?: AbortSignal | undefined;
  /** Told when all bytes are here and right, before they are on the disk: the next file may come. */
  onWhole?: (() => void) | undefined;
  /** Fresh addresses, before another try: the old ones may have expired, and there may be other copies by now. */
  sourcesAgain: () => Promise<Source[]>;
  /** How long sources may give nothing new before it is given up, milliseconds; default `PATIENCE_MS`. */
  patienceMs?: number | undefined;
  /** A source that sends nothing for so long is left for another, milliseconds. */
  stallMs?: number | undefined;
}

export interface Downloaded {
  /** It was there already, whole and right. */
  skipped: boolean;
  /** What crossed the network. */
  receivedBytes: number;
}

export const PATIENCE_MS = 60_000;
export const STALL_MS = 15_000;
/** Times that whole files may come with a wrong hash; each copy gets its turn. */
export const WRONG_FILES = 3;
/** Each takes one of Node's four threads for files; the others write what arrives meanwhile. */
const syncs = pLimit(2);
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Downloads a file. A source that breaks off, stalls or is gone is tried again from where it broke off, then another copy;
 * one that sent wrong bytes is begun anew elsewhere.
 * @throws FarmApiError `DiskFull`; `HashMismatch` or `StoreFailed` with file and offset when no copy gave the right bytes;
 * the signal's reason
 */
export async function download(file: RemoteFile, options: DownloadOptions): Promise<Downloaded> {
  const { folder, signal } = options;
  const { target, part } = pathsOf(folder, file);
  if ((await sizeOf(target)) === file.sizeBytes && (await digestOf(target)).digest('hex') === file.hash) {
    return { skipped: true, receivedBytes: 0 };
  }
  await withDisk(file, folder, () => mkdir(dirname(target), { recursive: true }));
  const { patienceMs = PATIENCE_MS, stallMs = STALL_MS } = options;
  let { sources } = file;
  let receivedBytes = 0;
  let wrongFiles = 0;
  let newest = { at: performance.now(), bytes: (await sizeOf(part)) ?? 0 };
  for (let failures = 0; ; ) {
    try {
      const source = sources[failures % Math.max(1, sources.length)];
      if (source === undefined) throw new Error('no store has it');
      const received = await receive(source, part, file.sizeBytes, { signal, stallMs });
      receivedBytes += received.receivedBytes;
      await requireWhole(file, part, received);
      options.onWhole?.();
      await syncs(() => syncFile(part));
      await rename(part, target);
      return { skipped: false, receivedBytes };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (isDiskFull(error)) throw diskFull(folder, file.name, error);
      if (error instanceof FarmApiError && ++wrongFiles >= WRONG_FILES) throw error;
      const bytes = (await sizeOf(part)) ?? 0;
      if (bytes > newest.bytes) newest = { at: performance.now(), bytes };
      else if (performance.now() - newest.at > patienceMs) throw brokenOff(file, bytes, error);
      await sleep(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++), undefined, signal ? { signal } : {});
      // The farm may not answer either: then what is known has to do.
      sources = await options.sourcesAgain().catch(() => sources);
    }
  }
}

/** Where a file will be, and where its bytes gather until then. */
export function pathsOf(
  folder: string,
  { name, hash }: Pick<RemoteFile, 'name' | 'hash'>,
): { target: string; part: string } {
  const target = join(folder, ...name.split('/'));
  return { target, part: `${target}.${hash.slice(0, 8)}.part` };
}

async function withDisk<T>({ name }: RemoteFile, folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isDiskFull(error) ? diskFull(folder, name, error) : error;
  }
}

/** A whole file with another hash is of no use to anybody; a short one is gone on with. */
async function requireWhole(
  { name, hash, sizeBytes }: RemoteFile,
  part: string,
  received: { hash: string; sizeBytes: number },
): Promise<void> {
  if (received.sizeBytes < sizeBytes) throw new Error('the source ended early');
  if (received.hash === hash && received.sizeBytes === sizeBytes) return;
  await rm(part, { force: true });
  throw wrongHash({ name, hash }, received.hash, received.sizeBytes);
}

/** A whole file came with other bytes. */
export function wrongHash(
  { name, hash }: Pick<RemoteFile, 'name' | 'hash'>,
  found: string,
  sizeBytes: number,
): FarmApiError {
  return new FarmApiError({
    code: 'HashMismatch',
    detail: `"${name}" arrived with hash ${found} instead of ${hash}.`,
    place: { file: name, offset: 0, sizeBytes },
    remedy: 'Pull again; if it stays, look at the object store ("farm doctor").',
    status: 502,
  });
}

/** No source gave anything new for too long. */
export function brokenOff({ name, sizeBytes }: RemoteFile, offset: number, error: unknown): FarmApiError {
  const why = error instanceof Error ? error.message : String(error);
  return new FarmApiError(
    {
      code: 'StoreFailed',
      detail: `"${name}" broke off at byte ${offset} of ${sizeBytes}: ${why}`,
      place: { file: name, offset, sizeBytes },
      remedy: 'Pull again: it goes on where it stopped. If it stays, look at the site\'s store ("farm doctor").',
      status: 502,
    },
    { cause: error },
  );
}

async function syncFile(path: string): Promise<void> {
  const file = await openFile(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}
