/**
 * How much a node's cache may hold: room is promised to a blob before its bytes come, and made by evicting what nobody uses. The count of
 * what is held or promised is shared by the processes of the host, in the file `used` under a lock of that name.
 */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { lockedKeys, withLock } from '../../ports/host/hostLock.ts';

/** Name of a blob in the cache's folder. */
export const HASH = /^[0-9a-f]{64}$/;

interface Wanted {
  hash: string;
  sizeBytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

export class CacheRoom {
  private readonly folder: string;
  private readonly capacityBytes: number;
  private readonly onEvicted: (hash: string) => void;
  /** Who waits for a promise, in turn. */
  private readonly wanted: Wanted[] = [];
  private isPromising = false;

  /** @param folder of the cache, with its folders `parts` and `locks` */
  constructor(folder: string, capacityBytes: number, onEvicted: (hash: string) => void) {
    this.folder = folder;
    this.capacityBytes = capacityBytes;
    this.onEvicted = onEvicted;
  }

  /** Counts what is here and brings it below the bound. */
  settle(): Promise<void> {
    return this.locked(() => this.sweep(0));
  }

  /** Promises room for so many bytes, evicting what has to go. @throws FarmError `DiskFull` */
  reserve(hash: string, sizeBytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.wanted.push({ hash, sizeBytes, resolve, reject });
      if (!this.isPromising) void this.promise();
    });
  }

  /** Gives so many bytes back to a disk that is full before the bound is reached, or what there is to give. */
  makeRoom(bytes: number, forHash: string): Promise<void> {
    return this.locked(() => this.evict(bytes, forHash));
  }

  /**
   * All who wait in this process and fit share one lock: taking it costs more than what is done under it. Where they do not, each has a lock of
   * its own, so that what one who was refused gives up is there for the next.
   */
  private async promise(): Promise<void> {
    this.isPromising = true;
    while (this.wanted.length > 0) {
      let served: Wanted[] = [];
      try {
        await this.locked(async () => {
          const text = await readFile(this.used, 'utf8').catch(() => '');
          const used = /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
          const total = this.wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, used);
          const fits = total <= this.capacityBytes;
          served = this.wanted.splice(0, fits ? this.wanted.length : 1);
          if (fits) await writeFile(this.used, String(total));
          else for (const { sizeBytes, hash } of served) await this.sweep(sizeBytes, hash);
        });
        for (const { resolve } of served) resolve();
      } catch (error) {
        for (const { reject } of served.length > 0 ? served : this.wanted.splice(0)) reject(error);
      }
    }
    this.isPromising = false;
  }

  /**
   * Counts what is really here and evicts until so many bytes more fit: first what nobody goes on fetching, then what was
   * used longest ago. Only with the lock. @throws FarmError `DiskFull`
   */
  private async sweep(moreBytes: number, forHash?: string): Promise<void> {
    const { all, mayGo } = await this.heldBut(forHash);
    let used = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, moreBytes);
    for (const { path, hash, sizeBytes } of mayGo) {
      if (used <= this.capacityBytes) break;
      await rm(path, { force: true });
      this.onEvicted(hash);
      used -= sizeBytes;
    }
    // An own mistake in counting must not last: the next one counts anew.
    await writeFile(this.used, String(used));
    if (used > this.capacityBytes && moreBytes > 0) {
      await writeFile(this.used, String(used - moreBytes));
      const place = { capacityBytes: this.capacityBytes, wantedBytes: used };
      throw new FarmError(
        'DiskFull',
        `The cache of this node holds ${this.capacityBytes} bytes; more is in use.`,
        place,
      );
    }
  }

  /** Gives so many bytes back to the disk, or what there is to give. Only with the lock. */
  private async evict(bytes: number, forHash: string): Promise<void> {
    let freed = 0;
    for (const { path, hash, sizeBytes } of (await this.heldBut(forHash)).mayGo) {
      if (freed >= bytes) break;
      await rm(path, { force: true });
      this.onEvicted(hash);
      freed += sizeBytes;
    }
    // The next one counts anew.
    await rm(this.used, { force: true });
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

  /** What is here whole. */
  async blobs() {
    const names = (await readdir(this.folder)).filter((name) => HASH.test(name));
    const found = await Promise.all(
      names.map(async (hash) => {
        const facts = await stat(join(this.folder, hash)).catch(() => null);
        if (!facts) return [];
        const { size: sizeBytes, atimeMs: usedAt, nlink } = facts;
        return [{ hash, path: join(this.folder, hash), sizeBytes, usedAt, isPinned: nlink > 1 }];
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

  private get used(): string {
    return join(this.folder, 'used');
  }

  private locked(task: () => Promise<void>): Promise<void> {
    return withLock(join(this.folder, 'locks'), 'used', task);
  }
}
