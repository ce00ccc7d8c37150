/**
 * What is known of files from earlier uploads, so that only new and changed ones are read again. An entry counts as long as
 * size, times and inode are what they were, the time of the inode's last change among them, which nobody can set back; and
 * no entry is kept of a file that had just been written, since a file system's clock may not tell two writes apart.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SmallFile } from './packs.ts';
import { type Chunk, type FileIdentity, isSame, type ReadFile } from './work.ts';

/** Changes when chunks or packs come out differently: what was remembered before counts no more. */
const FORMAT = 1;
/** A file must not have been touched for this long to be remembered. */
const SETTLED_MS = 2_000;
const SAVE_EVERY_MS = 5_000;

/** What was found out about a file; `chunks` where it was cut. */
export interface RememberedFile extends ReadFile {
  chunks?: Chunk[];
}

interface Blob {
  hash: string;
  sizeBytes: number;
}

interface Document {
  format: number;
  files: Record<string, RememberedFile>;
  packs: Record<string, Blob>;
}

/** Where uploads of a folder are remembered: in the user's cache folder. */
export function memoryOf(root: string): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const name = createHash('sha256').update(root).digest('hex').slice(0, 24);
  return join(cache, 'framewright', 'uploads', `${name}.json`);
}

/** A memory in a file, or (path null) one that forgets. A file that cannot be read or written is no error: it only costs time. */
export class UploadMemory {
  readonly #path: string | null;
  #old: Document = empty();
  readonly #new: Document = empty();
  #savedAt = Date.now();
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string | null) {
    this.#path = path;
  }

  static async open(path: string | null): Promise<UploadMemory> {
    const memory = new UploadMemory(path);
    if (path === null) return memory;
    try {
      const document = JSON.parse(await readFile(path, 'utf8')) as Document;
      if (document.format === FORMAT) memory.#old = document;
    } catch {
      // None yet, or damaged.
    }
    return memory;
  }

  /** What is known of the file, if it is as it was. @param source absolute path */
  async recall(source: string): Promise<RememberedFile | null> {
    const known = this.#old.files[source];
    if (!known) return null;
    const now = await stat(source, { bigint: true }).catch(() => null);
    if (!now) return null;
    const identity: FileIdentity = {
      sizeBytes: Number(now.size),
      modifiedNs: `${now.mtimeNs}`,
      changedNs: `${now.ctimeNs}`,
      inode: `${now.ino}`,
    };
    if (!isSame(identity, known.identity) || identity.changedNs !== known.identity.changedNs) return null;
    this.#new.files[source] = known;
    return known;
  }

  /** @param readAt when reading began, milliseconds since 1970 */
  keep(source: string, file: RememberedFile, readAt: number): void {
    const { modifiedNs, changedNs } = file.identity;
    const touchedMs = Math.max(Number(BigInt(modifiedNs) / 1_000_000n), Number(BigInt(changedNs) / 1_000_000n));
    if (touchedMs + SETTLED_MS > readAt) return;
    this.#new.files[source] = file;
    this.#saveNowAndThen();
  }

  recallPack(members: readonly SmallFile[]): Blob | null {
    const key = packKey(members);
    const known = this.#old.packs[key];
    if (known) this.#new.packs[key] = known;
    return known ?? null;
  }

  keepPack(members: readonly SmallFile[], blob: Blob): void {
    this.#new.packs[packKey(members)] = blob;
  }

  /** Writes what is known now; entries of files that were not asked for are forgotten. */
  save(): Promise<void> {
    this.#savedAt = Date.now();
    this.#saving = this.#saving.then(() => this.#write(this.#new));
    return this.#saving;
  }

  /** So that little is read again after a kill. What was known before stays until the end. */
  #saveNowAndThen(): void {
    if (this.#path === null || Date.now() - this.#savedAt < SAVE_EVERY_MS) return;
    this.#savedAt = Date.now();
    const { files, packs } = this.#old;
    const both = { format: FORMAT, files: { ...files, ...this.#new.files }, packs: { ...packs, ...this.#new.packs } };
    this.#saving = this.#saving.then(() => this.#write(both));
  }

  async #write(document: Document): Promise<void> {
    if (this.#path === null) return;
    const temporary = `${this.#path}.${process.pid}.part`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(temporary, JSON.stringify(document));
      await rename(temporary, this.#path);
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }
}

const empty = (): Document => ({ format: FORMAT, files: Object.create(null), packs: Object.create(null) });

const packKey = (members: readonly SmallFile[]): string =>
  createHash('sha256')
    .update(members.map(({ hash, sizeBytes }) => `${hash}:${sizeBytes}`).join('\n'))
    .digest('hex');
