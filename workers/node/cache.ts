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
import { copyFile, link, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FarmError } from '../../domain/errors.ts';
import type { FilePart } from '../../domain/projectFiles.ts';
import { BLOCK_BYTES } from '../../ports/http/blockWriter.ts';
import { asDiskFull, isDiskFull } from './diskFull.ts';
import { isAlive, lockedKeys, lockFreed, ownName, tryLock, withLock } from './hostLock.ts';
import { PartFile } from './partFile.ts';

const HASH = /^[0-9a-f]{64}$/;
/** What other processes brought is looked for again after this time, milliseconds. */
const LOOK_AGAIN_MS = 2_000;
/** A file system's clock may stand still this long, and `Date.now` cuts its fraction off, milliseconds. */
const CLOCK_STEP_MS = 20;

export class BlobCache {
  private readonly folder: string;
  private readonly capacityBytes: number;
  private readonly pinFolder: string;
  /** Blobs known to be here, with a number that rises with every use. */
  private readonly known = new Map<string, number>();
  /** Blobs whose bytes were hashed by this process, or by another since this one began. */
  private readonly checked = new Set<string>();
  /** Hash to the number of leases that need it. */
  private readonly pins = new Map<string, number>();
  private readonly openedAt = Date.now();
  /** Who waits for room to be promised, one after the other. */
  private readonly roomWanted: RoomWanted[] = [];
  private isPromising = false;
  private uses = 0;
  private lookedAt = performance.now();

  private constructor(folder: string, capacityBytes: number) {
    this.folder = folder;
    this.capacityBytes = capacityBytes;
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
    await cache.locked('used', () => cache.sweep(0));
    for (const { hash } of (await cache.blobs()).sort((a, b) => a.usedAt - b.usedAt)) cache.use(hash);
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
        if (await this.has(hash)) return false;
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
    await mkdir(dirname(target), { recursive: true });
    try {
      await link(this.path(hash), target);
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
      await this.locked('used', () => this.evict(sizeBytes, hash));
      await this.fillPart(hash, sizeBytes, fill);
    }
  }

  private async fillPart(hash: string, sizeBytes: number, fill: (part: PartFile) => Promise<void>): Promise<void> {
    const part = await PartFile.open(join(this.folder, 'parts', `${hash}.${sizeBytes}`));
    try {
      // After the part has its name: whoever counts meanwhile sees what is promised to it.
      await this.reserve(hash, sizeBytes);
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

  private locked<T>(key: string, task: () => Promise<T>): Promise<T> {
    return withLock(join(this.folder, 'locks'), key, task);
  }

  /** Promises room for so many bytes, evicting what has to go. @throws FarmError `DiskFull` */
  private reserve(hash: string, sizeBytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.roomWanted.push({ hash, sizeBytes, resolve, reject });
      if (!this.isPromising) void this.promiseRoom();
    });
  }

  /** All who wait in this process share one lock: taking it costs more than what is done under it. */
  private async promiseRoom(): Promise<void> {
    this.isPromising = true;
    while (this.roomWanted.length > 0) {
      let served: RoomWanted[] = [];
      try {
        await this.locked('used', async () => {
          served = this.roomWanted.splice(0);
          const bytes = served.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          const text = await readFile(join(this.folder, 'used'), 'utf8').catch(() => '');
          const used = /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
          if (used + bytes <= this.capacityBytes) await writeFile(join(this.folder, 'used'), String(used + bytes));
          else for (const one of served) await this.sweep(one.sizeBytes, one.hash).then(one.resolve, one.reject);
        });
        for (const { resolve } of served) resolve();
      } catch (error) {
        for (const { reject } of served.length > 0 ? served : this.roomWanted.splice(0)) reject(error);
      }
    }
    this.isPromising = false;
  }

  /**
   * Counts what is really here and evicts until so many bytes more fit: first what nobody goes on fetching, then what was
   * used longest ago. Only with the lock `used`. @throws FarmError `DiskFull`
   */
  private async sweep(moreBytes: number, forHash?: string): Promise<void> {
    const { all, mayGo } = await this.heldBut(forHash);
    let used = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, moreBytes);
    for (const { path, hash, sizeBytes } of mayGo) {
      if (used <= this.capacityBytes) break;
      await rm(path, { force: true });
      this.known.delete(hash);
      used -= sizeBytes;
    }
    // An own mistake in counting must not last: the next one counts anew.
    await writeFile(join(this.folder, 'used'), String(used));
    if (used > this.capacityBytes && moreBytes > 0) {
      await writeFile(join(this.folder, 'used'), String(used - moreBytes));
      const place = { capacityBytes: this.capacityBytes, wantedBytes: used };
      throw new FarmError(
        'DiskFull',
        `The cache of this node holds ${this.capacityBytes} bytes; more is in use.`,
        place,
      );
    }
  }

  /** Gives so many bytes back to the disk, or what there is to give. Only with the lock `used`. */
  private async evict(bytes: number, forHash: string): Promise<void> {
    let freed = 0;
    for (const { path, hash, sizeBytes } of (await this.heldBut(forHash)).mayGo) {
      if (freed >= bytes) break;
      await rm(path, { force: true });
      this.known.delete(hash);
      freed += sizeBytes;
    }
    // The next one counts anew.
    await rm(join(this.folder, 'used'), { force: true });
  }

  /** What is here but for one blob (what there is of the one that wants room is part of that room), and what may go, in turn. */
  private async heldBut(forHash: string | undefined) {
    const blobs = await this.blobs();
    const parts = (await this.parts()).filter(({ hash }) => hash !== forHash);
    const mayGo = [
      ...parts.filter(({ isLocked }) => !isLocked),
      ...blobs.filter(({ isPinned }) => !isPinned).sort((a, b) => a.usedAt - b.usedAt),
    ];
    return { all: [...blobs, ...parts], mayGo };
  }

  private async blobs() {
    const names = (await readdir(this.folder)).filter((name) => HASH.test(name));
    const found = await Promise.all(
      names.map(async (hash) => {
        const facts = await stat(this.path(hash)).catch(() => null);
        if (!facts) return [];
        const { size: sizeBytes, atimeMs: usedAt, nlink } = facts;
        return [{ hash, path: this.path(hash), sizeBytes, usedAt, isPinned: nlink > 1 }];
      }),
    );
    return found.flat();
  }

  private async parts() {
    const locked = await lockedKeys(join(this.folder, 'locks'));
    return (await readdir(join(this.folder, 'parts'))).map((name) => {
      const [hash = '', size] = name.split('.');
      return { hash, path: join(this.folder, 'parts', name), sizeBytes: Number(size), isLocked: locked.has(hash) };
    });
  }
}

interface RoomWanted {
  hash: string;
  sizeBytes: number;
  resolve(): void;
  reject(error: unknown): void;
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
