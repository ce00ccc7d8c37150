/** Reads, cuts and hashes files. Runs on threads, or where it is called when there is little to do; does no waiting. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Chunker } from './chunker.ts';

/** What tells one state of a file from another without reading it. 64-bit numbers as decimal strings. */
export interface FileIdentity {
  sizeBytes: number;
  modifiedNs: string;
  /** When the inode last changed: nothing sets that back. */
  changedNs: string;
  inode: string;
}

/** A run of a file's bytes that is a blob of its own. */
export interface Chunk {
  hash: string;
  offset: number;
  sizeBytes: number;
}

/** A file was written to between the first and the last look at it. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged';
  readonly source: string;
  constructor(source: string) {
    super(`${source} changed while it was read`);
    this.source = source;
  }
}

export interface ReadFile {
  identity: FileIdentity;
  /** SHA-256 of the whole file. */
  hash: string;
}

export interface PackMember {
  source: string;
  /** As it was when it was hashed. */
  identity: FileIdentity;
}

const READ_BYTES = 4 * 2 ** 20;
const EMPTY_HASH = createHash('sha256').digest('hex');

/**
 * Cuts a file by its content and hashes chunks and whole in one pass.
 * @param onChunk called with every chunk as soon as it is known; a file of one chunk is that chunk
 * @throws FileChanged, and what the file system throws
 */
export function cutFile(source: string, onChunk: (chunk: Chunk) => void): ReadFile {
  const chunker = chunkerOfThread();
  const { window } = chunker;
  return reading(source, (file, expected) => {
    const whole = createHash('sha256');
    let [start, end, read, ended] = [0, 0, 0, false];
    for (;;) {
      while (!ended && end < window.length) {
        const bytes = readSync(file, window, end, Math.min(READ_BYTES, window.length - end), null);
        whole.update(window.subarray(end, end + bytes));
        end += bytes;
        read += bytes;
        ended = bytes === 0;
      }
      while (start < end && (ended || end - start >= chunker.chunking.largest)) {
        const sizeBytes = chunker.cut(start, end - start);
        const offset = read - (end - start);
        // The one chunk of a file is the file.
        if (ended && sizeBytes === read) break;
        onChunk({ hash: sha256(window.subarray(start, start + sizeBytes)), offset, sizeBytes });
        start += sizeBytes;
      }
      if (ended) break;
      window.copyWithin(0, start, end);
      [start, end] = [0, end - start];
    }
    if (read !== expected) throw new FileChanged(source);
    const hash = whole.digest('hex');
    if (start < end || read === 0) onChunk({ hash, offset: 0, sizeBytes: read });
    return hash;
  });
}

/** Hashes small files. A file that changed has null in its place. */
export function hashFiles(sources: readonly string[]): (ReadFile | null)[] {
  return sources.map((source) => {
    try {
      return reading(source, (file, expected) =>
        expected === 0 ? EMPTY_HASH : sha256(readAll(file, source, expected)),
      );
    } catch (error) {
      if (error instanceof FileChanged) return null;
      throw error;
    }
  });
}

/**
 * Small files one after the other, as a blob.
 * @throws FileChanged when one is not what it was when it was hashed
 */
export function buildPack(members: readonly PackMember[]): { hash: string; bytes: Uint8Array<ArrayBuffer> } {
  const bytes = new Uint8Array(members.reduce((sum, { identity }) => sum + identity.sizeBytes, 0));
  let at = 0;
  for (const { source, identity } of members) {
    reading(
      source,
      (file, expected) => {
        bytes.set(readAll(file, source, expected), at);
        at += expected;
        return '';
      },
      identity,
    );
  }
  return { hash: sha256(bytes), bytes };
}

/** Lets `read` hash an open file, and checks that it is the same file, unchanged, before and after. */
function reading(source: string, read: (file: number, sizeBytes: number) => string, known?: FileIdentity): ReadFile {
  const file = openSync(source, 'r');
  try {
    const before = identityOf(file);
    if (known && !isSame(known, before)) throw new FileChanged(source);
    const hash = read(file, before.sizeBytes);
    if (!isSame(before, identityOf(file))) throw new FileChanged(source);
    return { identity: before, hash };
  } finally {
    closeSync(file);
  }
}

function readAll(file: number, source: string, sizeBytes: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let at = 0;
  for (let read = -1; at < sizeBytes && read !== 0; at += read) read = readSync(file, bytes, at, sizeBytes - at, null);
  if (at !== sizeBytes) throw new FileChanged(source);
  return bytes;
}

/** Identity of an open file (a descriptor). */
function identityOf(file: number): FileIdentity {
  const { size, mtimeNs, ctimeNs, ino } = fstatSync(file, { bigint: true });
  return { sizeBytes: Number(size), modifiedNs: `${mtimeNs}`, changedNs: `${ctimeNs}`, inode: `${ino}` };
}

/** Whether a file was not written to between two looks. */
export const isSame = (a: FileIdentity, b: FileIdentity): boolean =>
  a.sizeBytes === b.sizeBytes && a.modifiedNs === b.modifiedNs && a.inode === b.inode;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let chunker: Chunker | undefined;
const chunkerOfThread = (): Chunker => (chunker ??= new Chunker());
