/**
 * A bounded store of project bytes, named by SHA-256, shared by the node processes of a host. What was used last stays; what
 * a lease needs is pinned while it lasts. Bytes appear by rename after their hash was checked, so a killed process leaves no
 * half blob behind, and the next one goes on with the bytes that it had fetched.
 *
 * | in the folder | |
 * |---|---|
 * | `<hash>` | bytes; access time: last use; modification time: arrival |
 * | `parts/<hash>.<size>` | bytes on their way |
 * | `locks/` | who fetches what, see `hostLock.ts` |
 * | `pins/<process>/<hash>` | hard links: a blob with more than one name is in use by somebody |
 * | `used` | bytes held or promised, at least: what processes agree on without looking at every file |
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FarmError } from '../../domain/errors.ts';
import type { FilePart } from '../../domain/projectFiles.ts';
import { asDiskFull, isDiskFull } from '../../ports/diskFull.ts';
import { lockFreed, ownName, tryLock } from '../../ports/host/hostLock.ts';
import { isAlive } from '../../ports/host/processName.ts';
import { BLOCK_BYTES } from '../../ports/http/blockWriter.ts';
import { CacheRoom, HASH } from './cacheRoom.ts';
import { PartFile } from './partFile.ts';

/** What other processes brought is looked for again after this time, milliseconds. */
const LOOK_AGAIN_MS = 2_000;
/** A file system's clock may stand still this long, and `Date.now` cuts its fraction off, milliseconds. */
const CLOCK_STEP_MS = 20;

export class BlobCache {
  private readonly folder: string;
  private readonly room: CacheRoom;
  private readonly pinFolder: string;
  /** Blobs known to be here, with a number that rises with every use. */
  private readonly known = new Map<string, number>();
  /** Blobs whose bytes were hashed by this process, or by another since this one began. */
  private readonly checked = new Set<string>();
  /** Hash to the number of leases that need it. */
  private readonly pins = new Map<string, number>();
  private readonly openedAt = Date.now();
  private uses = 0;
  private lookedAt = performance.now();

  private constructor(folder: string, capacityBytes: number) {
    this.folder = folder;
    this.room = new CacheRoom(folder, capacityBytes, (hash) => this.known.delete(hash));
    this.pinFolder = join(folder, 'pins', ownName());
  }

  /** Opens the cache below `folder`, with what it holds, and brings it below its bound. */
  static async open(folder: string, capacityBytes: number): Promise<BlobCache> {
    const cache = new BlobCache(folder, capacityBytes);
    for (const path of [join(folder, 'parts'), join(folder, 'locks'), cache.pinFolder]) {
      await mkdir(path, { recursive: true });
    }
    for (const name of await readdir(join(folder, 'pins'))) {
      if (!isAlive(name)) await rm(join(folder, 'pins', name), { recursive: true, force: true });
    }
    await cache.room.settle();
    for (const { hash } of (await cache.room.blobs()).sort((a, b) => a.usedAt - b.usedAt)) cache.use(hash);
    return cache;
  }

  /** Hashes held, newest use first, at most `limit`; what other processes brought just now may be missing. */
  hashes(limit: number): string[] {
    if (performance.now() - this.lookedAt > LOOK_AGAIN_MS) {
      this.lookedAt = performance.now();
      this.lookAround().catch(() => undefined);
    }
    const byUse = [...this.known].sort(([, a], [, b]) => b - a);
    return byUse.slice(0, limit).map(([hash]) => hash);
  }

  /** Whether a blob is here, as far as was heard: without a look. */
  knows(hash: string): boolean {
    return this.known.has(hash);
  }

  /** Whether the bytes are here and right; bytes that went bad are dropped. Counts as a use; what is pinned stays from then on. */
  async has(hash: string): Promise<boolean> {
    if (!(await this.hold(hash))) {
      this.known.delete(hash);
      return false;
    }
    try {
      const { mtime, mtimeMs } = await stat(this.path(hash));
      // Whoever put it there since this process began has checked it; older bytes may have met a crash of the machine.
      if (mtimeMs < this.openedAt + CLOCK_STEP_MS && !this.checked.has(hash) && !(await this.isRight(hash))) {
        await this.drop(hash);
        return false;
      }
      await utimes(this.path(hash), new Date(), mtime);
    } catch (error) {
      // Somebody evicted it in between.
      if (isCode(error, 'ENOENT')) return false;
      throw error;
    }
    this.checked.add(hash);
    this.use(hash);
    return true;
  }

  /** Keeps these from eviction by any process until the returned function is called; hashes may come before their bytes. */
  pin(hashes: readonly string[]): () => Promise<void> {
    const pinned = [...new Set(hashes)];
    for (const hash of pinned) this.pins.set(hash, (this.pins.get(hash) ?? 0) + 1);
    let done = false;
    return async () => {
      if (done) return;
      done = true;
      for (const hash of pinned) {
        const left = (this.pins.get(hash) ?? 1) - 1;
        if (left > 0) {
          this.pins.set(hash, left);
          continue;
        }
        this.pins.delete(hash);
        await rm(join(this.pinFolder, hash), { force: true });
      }
    };
  }

  /**
   * Brings a blob here unless it is: one process of the host fetches, the others wait for it, and one of them goes on where
   * it stopped if it fails or is killed. Where the disk is full before the bound is reached, what nobody uses goes.
   * @param fill appends what lacks of the bytes; told to begin anew by nobody but itself
   * @returns whether this process filled it
   * @throws FarmError `HashMismatch` when the bytes are others, `DiskFull` when they do not fit beside what is in use (what
   *   had come of them is dropped then); what `fill` throws; the signal's reason
   */
  async obtain(
    hash: string,
    sizeBytes: number,
    fill: (part: PartFile) => Promise<void>,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      for (;;) {
        signal.throwIfAborted();
        const locks = join(this.folder, 'locks');
        const release = await tryLock(locks, hash);
        if (!release) {
          await lockFreed(locks, hash, signal);
          continue;
        }
        try {
          if (await this.has(hash)) return false;
          await this.fillWithRoom(hash, sizeBytes, fill);
        } finally {
          await release();
        }
        this.checked.add(hash);
        this.use(hash);
        return true;
      }
    } catch (error) {
      throw asDiskFull(error, this.folder);
    }
  }

  /** Puts a blob into a folder under its project name: a hard link where the file system has them, else a copy. @throws FarmError `DiskFull` */
  async materialise(hash: string, target: string): Promise<void> {
    try {
      await link(this.path(hash), target).catch(async (error: unknown) => {
        if (!isCode(error, 'ENOENT')) throw error;
        await mkdir(dirname(target), { recursive: true });
        await link(this.path(hash), target);
      });
    } catch (error) {
      if (!isCode(error, 'EXDEV') && !isCode(error, 'EPERM') && !isCode(error, 'EMLINK')) throw error;
      await copyFile(this.path(hash), target).catch((failure) => {
        throw asDiskFull(failure, target);
      });
    }
  }

  /** The bytes of these slices of held blobs, one after the other. */
  async *slices(parts: readonly FilePart[]): AsyncGenerator<Buffer> {
    for (const { blob, offset, sizeBytes } of parts) {
      if (sizeBytes === 0) continue;
      const end = offset + sizeBytes - 1;
      yield* createReadStream(this.path(blob), { start: offset, end, highWaterMark: BLOCK_BYTES });
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
      throw asDiskFull(error, target);
    }
    assertHash(hash, digest.digest('hex'));
  }

  /** Where a held blob lies. */
  path(hash: string): string {
    return join(this.folder, hash);
  }

  private async fillWithRoom(hash: string, sizeBytes: number, fill: (part: PartFile) => Promise<void>): Promise<void> {
    try {
      await this.fillPart(hash, sizeBytes, fill);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // Others share the disk: the bound may be more than there is. Somebody may have made room before us.
      await this.room.makeRoom(sizeBytes, hash);
      await this.fillPart(hash, sizeBytes, fill);
    }
  }

  private async fillPart(hash: string, sizeBytes: number, fill: (part: PartFile) => Promise<void>): Promise<void> {
    const part = await PartFile.open(join(this.folder, 'parts', `${hash}.${sizeBytes}`));
    try {
      // After the part has its name: whoever counts meanwhile sees what is promised to it.
      await this.room.reserve(hash, sizeBytes);
      if (part.sizeBytes > sizeBytes) await part.clear();
      await fill(part);
      if (part.sizeBytes !== sizeBytes || part.hash !== hash) {
        const actual = part.hash;
        await part.clear();
        assertHash(hash, actual);
      }
      await part.flush();
      // Before it has its name: somebody who makes room would take it in between.
      if (this.pins.has(hash)) await this.hold(hash, part.path);
      await part.finish(this.path(hash));
    } catch (error) {
      // Half a blob would only keep the disk full.
      if (isDiskFull(error)) await rm(part.path, { force: true });
      throw error;
    } finally {
      await part.close();
    }
  }

  /**
   * Whether the blob is here; one that is pinned gets its link, and nobody evicts it any more.
   * @param path where its bytes lie, while they have not their name yet
   */
  private async hold(hash: string, path = this.path(hash)): Promise<boolean> {
    if (!this.pins.has(hash)) return isThere(path);
    try {
      await link(path, join(this.pinFolder, hash));
      return true;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return false;
      // A file system without links pins nothing: what is evicted too early is fetched again.
      return isThere(path);
    }
  }

  private async isRight(hash: string): Promise<boolean> {
    const digest = createHash('sha256');
    await pipeline(createReadStream(this.path(hash)), digest);
    return digest.digest('hex') === hash;
  }

  private use(hash: string): void {
    this.known.set(hash, ++this.uses);
  }

  private async drop(hash: string): Promise<void> {
    this.known.delete(hash);
    this.checked.delete(hash);
    await rm(join(this.pinFolder, hash), { force: true });
    await rm(this.path(hash), { force: true });
  }

  /** What other processes brought counts as used longest ago. */
  private async lookAround(): Promise<void> {
    const here = new Set((await readdir(this.folder)).filter((name) => HASH.test(name)));
    for (const hash of this.known.keys()) if (!here.has(hash)) this.known.delete(hash);
    for (const hash of here) if (!this.known.has(hash)) this.known.set(hash, 0);
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function assertHash(expected: string, actual: string): void {
  if (actual === expected) return;
  throw new FarmError('HashMismatch', `Bytes that should hash to ${expected} do not.`, { expected, actual });
}

const isCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;
