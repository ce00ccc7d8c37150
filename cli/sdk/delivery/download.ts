/** One file to the studio's disk: under its name only when whole and right. */
import { open as openFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { makeFolder } from '../../../ports/host/makeFolder.ts';
import { FarmApiError } from '../errors.ts';
import { DiskError, diskProblem, isFinal, onDisk } from './diskErrors.ts';
import type { PartFiles } from './partFiles.ts';
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
  /** Where it goes. */
  parts: PartFiles;
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
 * @throws FarmApiError `DiskFull` or `NotWritable` at once; `HashMismatch` or `StoreFailed` with file and offset when no copy
 * gave the right bytes; the signal's reason
 */
export async function download(file: RemoteFile, options: DownloadOptions): Promise<Downloaded> {
  const { parts, signal, patienceMs = PATIENCE_MS, stallMs = STALL_MS } = options;
  const { target, part } = parts.pathsOf(file);
  let { sources } = file;
  let receivedBytes = 0;
  let wrongFiles = 0;
  let newest = { at: performance.now(), bytes: 0 };
  for (let failures = 0; ; ) {
    try {
      if (await isThere(target, file)) {
        // At a later try: another pull has brought it meanwhile.
        await parts.clear(file);
        return { skipped: receivedBytes === 0, receivedBytes };
      }
      await makeFolder(dirname(target)).catch(onDisk);
      if (failures === 0) {
        await parts.adopt(file).catch(onDisk);
        newest = { at: performance.now(), bytes: (await sizeOf(part)) ?? 0 };
      }
      const source = sources[failures % Math.max(1, sources.length)];
      if (source === undefined) throw new Error('no store has it');
      const received = await receive(source, part, file.sizeBytes, { signal, stallMs });
      receivedBytes += received.receivedBytes;
      await requireWhole(file, part, received);
      options.onWhole?.();
      await syncs(() => syncFile(part, file)).catch(onDisk);
      await rename(part, target).catch(onDisk);
      await parts.clear(file);
      return { skipped: false, receivedBytes };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const disk = error instanceof DiskError ? diskProblem(error, parts.folder, target) : null;
      if (disk && isFinal(error)) throw disk;
      if (error instanceof FarmApiError && ++wrongFiles >= WRONG_FILES) throw error;
      const bytes = (await sizeOf(part)) ?? 0;
      // A whole file came, if a wrong one: whoever is next begins with nothing, and has its own time.
      if (error instanceof FarmApiError) newest = { at: performance.now(), bytes };
      else if (bytes > newest.bytes) newest = { at: performance.now(), bytes };
      else if (performance.now() - newest.at > patienceMs) throw disk ?? brokenOff(file, bytes, error);
      await sleep(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++), undefined, signal ? { signal } : {});
      // The farm may not answer either: then what is known has to do.
      sources = await options.sourcesAgain().catch(() => sources);
    }
  }
}

/** The file is there under its name, whole and right. @throws DiskError also where a folder has its name */
async function isThere(target: string, { hash, sizeBytes }: RemoteFile): Promise<boolean> {
  const there = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new DiskError(error);
  });
  if (there?.isDirectory()) throw new DiskError(Object.assign(new Error('it is a folder'), { code: 'EISDIR' }));
  return there?.size === sizeBytes && (await digestOf(target).catch(onDisk)).digest('hex') === hash;
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

/** Brings a whole part to the disk. Throws when it holds other than was received. */
async function syncFile(part: string, { sizeBytes }: RemoteFile): Promise<void> {
  const file = await openFile(part, 'r+');
  try {
    await file.sync();
    const { size } = await file.stat();
    if (size === sizeBytes) return;
    await rm(part, { force: true });
    throw new Error(`it holds ${size} bytes after ${sizeBytes} were written`);
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}
