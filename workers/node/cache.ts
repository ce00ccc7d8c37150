/**
 * A node's bounded store of project bytes, named by SHA-256. What was used last stays; a lease's files are pinned while it
 * lasts. Files appear by rename after their hash was checked, so a killed node leaves no half file behind; what an earlier
 * process left is checked once more before its first use.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FarmError } from '../../domain/errors.ts';
import type { FilePart } from '../../domain/projectFiles.ts';

interface Entry {
  sizeBytes: number;
  /** Rises with every use. */
  usedAt: number;
  /** The bytes were hashed by this process. */
  checked: boolean;
}

export class BlobCache {
  private readonly entries = new Map<string, Entry>();
  /** Hash to the number of leases that need it. */
  private readonly pins = new Map<string, number>();
  private readonly folder: string;
  private readonly capacityBytes: number;
  private heldBytes = 0;
  private uses = 0;

  private constructor(folder: string, capacityBytes: number) {
    this.folder = folder;
    this.capacityBytes = capacityBytes;
  }

  /** Opens the cache below `folder`, with what it held when it was last used, oldest first. */
  static async open(folder: string, capacityBytes: number): Promise<BlobCache> {
    const cache = new BlobCache(folder, capacityBytes);
    await mkdir(folder, { recursive: true });
    const found: { hash: string; sizeBytes: number; usedAt: number }[] = [];
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (!/^[0-9a-f]{64}$/.test(name)) {
        await rm(path, { force: true, recursive: true });
        continue;
      }
      const { size, mtimeMs } = await stat(path);
      found.push({ hash: name, sizeBytes: size, usedAt: mtimeMs });
    }
    found.sort((a, b) => a.usedAt - b.usedAt);
    for (const { hash, sizeBytes } of found) cache.note(hash, sizeBytes, false);
    await cache.evictFor(0);
    return cache;
  }

  get sizeBytes(): number {
    return this.heldBytes;
  }

  /** Hashes held, newest use first, at most `limit`. */
  hashes(limit: number): string[] {
    return [...this.entries]
      .sort(([, a], [, b]) => b.usedAt - a.usedAt)
      .slice(0, limit)
      .map(([hash]) => hash);
  }

  /** Whether the bytes are here and right; bytes that went bad are dropped. Counts as a use. */
  async has(hash: string): Promise<boolean> {
    const entry = this.entries.get(hash);
    if (!entry) return false;
    entry.usedAt = ++this.uses;
    if (!entry.checked) {
      const digest = createHash('sha256');
      try {
        await pipeline(createReadStream(this.path(hash)), digest);
      } catch {
        await this.drop(hash);
        return false;
      }
      if (digest.digest('hex') !== hash) {
        await this.drop(hash);
        return false;
      }
      entry.checked = true;
      // Only a hint for the order after a restart.
      await utimes(this.path(hash), new Date(), new Date()).catch(() => undefined);
    }
    return true;
  }

  /** Keeps these from eviction until the returned function is called; hashes may come before their bytes do. */
  pin(hashes: readonly string[]): () => void {
    const pinned = [...new Set(hashes)];
    for (const hash of pinned) this.pins.set(hash, (this.pins.get(hash) ?? 0) + 1);
    let done = false;
    return () => {
      if (done) return;
      done = true;
      for (const hash of pinned) {
        const left = (this.pins.get(hash) ?? 1) - 1;
        if (left === 0) this.pins.delete(hash);
        else this.pins.set(hash, left);
      }
    };
  }

  /**
   * Takes bytes in, making room first.
   * @throws FarmError `HashMismatch` when the bytes are others, `DiskFull` when they do not fit beside what is pinned;
   *   nothing is kept then
   */
  async add(hash: string, sizeBytes: number, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    await this.evictFor(sizeBytes);
    const temporary = join(this.folder, `${hash}.${randomUUID()}.part`);
    const digest = createHash('sha256');
    let received = 0;
    try {
      await pipeline(
        bytes,
        async function* (source: AsyncIterable<Uint8Array>) {
          for await (const part of source) {
            received += part.byteLength;
            if (received > sizeBytes) break;
            digest.update(part);
            yield part;
          }
        },
        createWriteStream(temporary, { flags: 'wx', mode: 0o444 }),
        { signal },
      );
      const actual = digest.digest('hex');
      if (received !== sizeBytes || actual !== hash) {
        throw new FarmError('HashMismatch', `Fetched bytes do not hash to ${hash}.`, {
          expected: hash,
          actual,
          received,
        });
      }
      await rename(temporary, this.path(hash));
    } catch (error) {
      await rm(temporary, { force: true });
      if (isCode(error, 'ENOSPC')) throw new FarmError('DiskFull', `No space left below ${this.folder}.`, {});
      throw error;
    }
    this.note(hash, sizeBytes, true);
  }

  /** Puts a blob into a folder under its project name: a hard link where the file system has them, else a copy. */
  async materialise(hash: string, target: string): Promise<void> {
    await mkdir(dirname(target), { recursive: true });
    try {
      await link(this.path(hash), target);
    } catch (error) {
      if (!isCode(error, 'EXDEV') && !isCode(error, 'EPERM') && !isCode(error, 'EMLINK')) throw error;
      await copyFile(this.path(hash), target);
    }
  }

  /** The bytes of these slices of held blobs, one after the other. */
  async *slices(parts: readonly FilePart[]): AsyncGenerator<Buffer> {
    for (const { blob, offset, sizeBytes } of parts) {
      if (sizeBytes === 0) continue;
      yield* createReadStream(this.path(blob), { start: offset, end: offset + sizeBytes - 1 });
    }
  }

  /**
   * Puts slices of held blobs together as a file outside the cache.
   * @throws FarmError `HashMismatch` when they make another file, `DiskFull`
   */
  async writeSlices({ hash }: { hash: string }, parts: readonly FilePart[], target: string): Promise<void> {
    await mkdir(dirname(target), { recursive: true });
    const digest = createHash('sha256');
    try {
      await pipeline(
        this.slices(parts),
        async function* (source: AsyncIterable<Buffer>) {
          for await (const part of source) {
            digest.update(part);
            yield part;
          }
        },
        createWriteStream(target, { flags: 'wx', mode: 0o444 }),
      );
    } catch (error) {
      if (isCode(error, 'ENOSPC')) throw new FarmError('DiskFull', `No space left below ${dirname(target)}.`, {});
      throw error;
    }
    const actual = digest.digest('hex');
    if (actual !== hash) {
      throw new FarmError('HashMismatch', 'The parts of a file make other bytes.', { expected: hash, actual });
    }
  }

  private path(hash: string): string {
    return join(this.folder, hash);
  }

  private note(hash: string, sizeBytes: number, checked: boolean): void {
    const before = this.entries.get(hash);
    if (before) this.heldBytes -= before.sizeBytes;
    this.entries.set(hash, { sizeBytes, usedAt: ++this.uses, checked });
    this.heldBytes += sizeBytes;
  }

  private async drop(hash: string): Promise<void> {
    const entry = this.entries.get(hash);
    if (!entry) return;
    this.entries.delete(hash);
    this.heldBytes -= entry.sizeBytes;
    await rm(this.path(hash), { force: true });
  }

  private async evictFor(sizeBytes: number): Promise<void> {
    if (this.heldBytes + sizeBytes <= this.capacityBytes) return;
    const candidates = [...this.entries]
      .filter(([hash]) => !this.pins.has(hash))
      .sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [hash] of candidates) {
      if (this.heldBytes + sizeBytes <= this.capacityBytes) return;
      await this.drop(hash);
    }
    if (this.heldBytes + sizeBytes > this.capacityBytes) {
      throw new FarmError(
        'DiskFull',
        `The cache of this node holds ${this.capacityBytes} bytes; the project needs more.`,
        {
          capacityBytes: this.capacityBytes,
          wantedBytes: this.heldBytes + sizeBytes,
        },
      );
    }
  }
}

const isCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;
