/**
 * Files in which the bytes of a pull gather until they are whole. Each names the pull that writes it, so that no two ever write
 * one, whichever hosts and containers share the folder. What an earlier pull left is gone on with: renamed where its process is
 * known to be dead, else copied, since somebody may still write there.
 */
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hostName, isAlive, PROCESS_NAME } from '../../../ports/host/processName.ts';
import type { RemoteFile } from './download.ts';

/** A longer name would not leave room for what comes behind it: file systems take 255 bytes. */
const LONGEST_STEM_BYTES = 160;
/** What it will be, `~` and whose it is: host, process, pull. Earlier versions named nobody. */
const PART = /^(.+\.[0-9a-f]{8})(?:~([0-9a-f]{8})-(\d+\.\d+)-([0-9a-f]{8}))?\.part$/;

/** Pulls of this process that are under way. */
const underWay = new Set<string>();

interface Left {
  path: string;
  /** Null: named nobody. */
  owner: { host: string; process: string; pull: string } | null;
}

type NamedFile = Pick<RemoteFile, 'name' | 'hash'>;

export class PartFiles {
  /** Absolute. */
  readonly folder: string;
  readonly #pull = randomBytes(4).toString('hex');
  /** By folder, then by the beginning of their names; as it was when it was first asked for. */
  readonly #left = new Map<string, Promise<Map<string, Left[]>>>();

  /** @param folder absolute; need not exist. The caller closes it. */
  constructor(folder: string) {
    this.folder = folder;
    underWay.add(this.#pull);
  }

  /** Nothing writes any more: what is left is anybody's. */
  close(): void {
    underWay.delete(this.#pull);
  }

  /** Where a file will be, and where its bytes gather until then. */
  pathsOf(file: NamedFile): { target: string; part: string } {
    const target = join(this.folder, ...file.name.split('/'));
    const owner = `${hostName()}-${PROCESS_NAME}-${this.#pull}`;
    return { target, part: join(dirname(target), `${beginningOf(target, file)}~${owner}.part`) };
  }

  /** Makes the longest of what other pulls left the beginning of ours, if it is more than is there. Throws what the disk answers. */
  async adopt(file: NamedFile & { sizeBytes: number }): Promise<void> {
    const { target, part } = this.pathsOf(file);
    let most = (await bytesOf(part)) ?? 0;
    for (const left of await this.#leftOf(target, file)) {
      if (isWriting(left)) continue;
      const bytes = (await bytesOf(left.path)) ?? 0;
      if (bytes > most && bytes <= file.sizeBytes && (await takeOver(left, part))) most = bytes;
    }
  }

  /** Removes what gathered of a file that has its name now. Whoever still writes there finds the file instead. */
  async clear(file: NamedFile): Promise<void> {
    const { target, part } = this.pathsOf(file);
    const left = (await this.#leftOf(target, file)).filter((other) => !isWriting(other));
    for (const path of [part, ...left.map((other) => other.path)]) {
      // What stays is in nobody's way.
      await rm(path, { force: true }).catch(() => undefined);
    }
  }

  async #leftOf(target: string, file: NamedFile): Promise<Left[]> {
    const folder = dirname(target);
    const listed = this.#left.get(folder) ?? this.#list(folder);
    this.#left.set(folder, listed);
    return (await listed).get(beginningOf(target, file)) ?? [];
  }

  async #list(folder: string): Promise<Map<string, Left[]>> {
    const left = new Map<string, Left[]>();
    // A folder that cannot be read has nothing to go on from.
    for (const name of await readdir(folder).catch(() => [])) {
      const [, beginning, host, process, pull] = PART.exec(name) ?? [];
      if (beginning === undefined || pull === this.#pull) continue;
      const owner = host && process && pull ? { host, process, pull } : null;
      left.set(beginning, [...(left.get(beginning) ?? []), { path: join(folder, name), owner }]);
    }
    return left;
  }
}

function beginningOf(target: string, { hash }: NamedFile): string {
  const name = basename(target);
  const isLong = Buffer.byteLength(name) > LONGEST_STEM_BYTES;
  const stem = isLong ? createHash('sha256').update(name).digest('hex').slice(0, 32) : name;
  return `${stem}.${hash.slice(0, 8)}`;
}

const isKnown = ({ owner }: Left): boolean => owner?.host === hostName();

/** It is known that its pull goes on. */
function isWriting(left: Left): boolean {
  if (!left.owner || !isKnown(left)) return false;
  const { process, pull } = left.owner;
  return process === PROCESS_NAME ? underWay.has(pull) : isAlive(process);
}

/** @returns false: somebody else was first, or it cannot be had */
async function takeOver(left: Left, part: string): Promise<boolean> {
  try {
    if (isKnown(left)) await rename(left.path, part);
    else await copyFile(left.path, part);
    return true;
  } catch (error) {
    // What others left and do not let us read is no reason to stop; a full disk says so again.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || !isKnown(left)) return false;
    throw error;
  }
}

/** Of a file; undefined where there is none. */
const bytesOf = async (path: string): Promise<number | undefined> => (await stat(path).catch(() => undefined))?.size;
