/**
 * Uploads a project's files: large ones cut by content, small ones packed, hashed on threads while what is known already is
 * sent, and only blobs that the store lacks. Killed at any point and begun again, it sends what is still missing.
 */
import { open } from 'node:fs/promises';
import pLimit from 'p-limit';
import type { FarmClient } from '../client.ts';
import { refuse } from '../errors.ts';
import type { MissingBlob, SubmittedBlob, SubmittedFile } from '../types.ts';
import { LARGEST_PACKED_FILE, packFiles } from './packs.ts';
import { UploadMemory } from './remembered.ts';
import { BlobSender, changedFile } from './sender.ts';
import { HashingThreads } from './threads.ts';
import { type Chunk, FileChanged, type ReadFile } from './work.ts';

/** A file on this disk. */
export interface LocalFile {
  /** Relative to the project's root, forward slashes. */
  path: string;
  /** Absolute path. */
  source: string;
  sizeBytes: number;
}

/** How far an upload is, in bytes. Hashed and present count up to total; equal bytes are sent once. */
export interface UploadProgress {
  totalBytes: number;
  /** Read and hashed, or known from an earlier upload to be unchanged. */
  hashedBytes: number;
  sentBytes: number;
  /** In blobs that the store had already. */
  presentBytes: number;
}

export interface UploadOptions {
  /** File that remembers hashes between uploads; null: nothing is remembered. */
  memory: string | null;
  onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Hashing threads at most; default: one for each processor, none for little work. */
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface Uploaded {
  files: SubmittedFile[];
  /** Those that files name by their parts; undefined when there are none. */
  blobs: SubmittedBlob[] | undefined;
  /** Sends what the store turned out to lack when the job was created. */
  sendAgain(missing: readonly MissingBlob[]): Promise<void>;
  /** Asks for all blobs again and sends what the store lacks by now; how many that was. @throws FarmApiError */
  sendLost(): Promise<number>;
  close(): Promise<void>;
}

/** With less than this, threads would take longer to start than to help. */
const BYTES_WORTH_THREADS = 16 * 2 ** 20;
const FILES_WORTH_THREADS = 500;
/** Small files that a thread hashes at a time. */
const BATCH = 256;
/** Packs in memory at the same time; each is at most 4 MiB. */
const PACKS_AT_ONCE = 8;

/**
 * Returns when the store has all blobs.
 * @param files in the order of their paths, which decides what is packed together
 * @throws FarmApiError `SceneInvalid` for a file that changes while it is read, `FileNotFound`, `StoreFailed`
 */
export async function uploadFiles(
  client: FarmClient,
  files: readonly LocalFile[],
  options: UploadOptions,
): Promise<Uploaded> {
  const upload = new Upload(client, await UploadMemory.open(options.memory), files, options);
  return upload.run();
}

type Hashed = LocalFile & ReadFile;

class Upload {
  readonly #files: readonly LocalFile[];
  readonly #memory: UploadMemory;
  readonly #sender: BlobSender;
  readonly #threads: HashingThreads;
  readonly #abort = new AbortController();
  readonly #progress: UploadProgress;
  readonly #options: UploadOptions;
  readonly #submitted = new Map<string, SubmittedFile>();
  readonly #blobs = new Map<string, number>();
  readonly #sends: Promise<void>[] = [];

  constructor(client: FarmClient, memory: UploadMemory, files: readonly LocalFile[], options: UploadOptions) {
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const little = totalBytes < BYTES_WORTH_THREADS && files.length < FILES_WORTH_THREADS;
    const { signal } = options;
    this.#files = files;
    this.#memory = memory;
    this.#options = options;
    this.#threads = new HashingThreads(options.threads ?? (little ? 0 : undefined));
    this.#progress = { totalBytes, hashedBytes: 0, sentBytes: 0, presentBytes: 0 };
    signal?.addEventListener('abort', () => this.#abort.abort(signal.reason), { once: true });
    if (signal?.aborted) this.#abort.abort(signal.reason);
    const events = {
      onSent: (bytes: number) => this.#report('sentBytes', bytes),
      onPresent: (bytes: number) => this.#report('presentBytes', bytes),
    };
    this.#sender = new BlobSender(client, events, this.#abort.signal);
  }

  async run(): Promise<Uploaded> {
    const small = this.#files.filter(isSmall);
    const large = this.#files.filter((file) => !isSmall(file));
    // The long ones first, so that there is something to send from the beginning.
    const all = Promise.all([...large.map((file) => this.#uploadLarge(file)), this.#uploadSmall(small)]);
    const close = async (): Promise<void> => {
      this.#sender.close();
      await this.#threads.close();
    };
    try {
      await Promise.race([all.then(() => Promise.all(this.#sends)), this.#whenAborted()]);
    } catch (error) {
      this.#abort.abort(error);
      await close();
      await Promise.allSettled([all, ...this.#sends]);
      throw error;
    } finally {
      await this.#memory.save();
    }
    const blobs = [...this.#blobs].map(([hash, sizeBytes]) => ({ hash, sizeBytes }));
    return {
      files: this.#files.map(({ path }) => this.#submitted.get(path)!),
      blobs: blobs.length > 0 ? blobs : undefined,
      sendAgain: (missing) => this.#sender.sendAgain(missing),
      sendLost: () => this.#sender.sendLost(),
      close,
    };
  }

  async #uploadLarge(file: LocalFile): Promise<void> {
    const { path, source } = file;
    const known = await this.#memory.recall(source);
    const chunks: Chunk[] = [];
    const onChunk = (chunk: Chunk): void => {
      chunks.push(chunk);
      this.#report('hashedBytes', chunk.sizeBytes);
      const read = (room: Uint8Array) => readSlice(file, chunk, room);
      this.#offer({ ...chunk, path, read });
    };
    let found: ReadFile;
    if (known?.chunks) {
      found = known;
      known.chunks.forEach(onChunk);
    } else {
      const readAt = Date.now();
      found = await this.#reading(file, () => this.#threads.cut(source, onChunk));
      this.#memory.keep(source, { ...found, chunks }, readAt);
    }
    if (found.identity.sizeBytes !== file.sizeBytes) throw changedFile(path);
    const { hash } = found;
    const whole = chunks.length === 1;
    const parts = chunks.map(({ hash: blob, sizeBytes }) => ({ blob, offset: 0, sizeBytes }));
    if (!whole) for (const chunk of chunks) this.#blobs.set(chunk.hash, chunk.sizeBytes);
    this.#submitted.set(path, { path, sizeBytes: file.sizeBytes, hash, ...(whole ? {} : { parts }) });
  }

  async #uploadSmall(files: readonly LocalFile[]): Promise<void> {
    const batches = Array.from({ length: Math.ceil(files.length / BATCH) }, (_, index) =>
      files.slice(index * BATCH, (index + 1) * BATCH),
    );
    const hashed = (await Promise.all(batches.map((batch) => this.#hashSmall(batch)))).flat();
    const limit = pLimit(PACKS_AT_ONCE);
    const places = new Map<string, { blob: string; offset: number; sizeBytes: number }>();
    const packs = packFiles(hashed).map((members) =>
      limit(async () => {
        const blob = await this.#uploadPack(members);
        let offset = 0;
        for (const { hash, sizeBytes } of members) {
          places.set(hash, { blob: blob.hash, offset, sizeBytes });
          offset += sizeBytes;
        }
        if (members.length > 1) this.#blobs.set(blob.hash, blob.sizeBytes);
      }),
    );
    await Promise.all(packs);
    for (const { path, sizeBytes, hash } of hashed) {
      const place = places.get(hash)!;
      const alone = place.blob === hash;
      this.#submitted.set(path, { path, sizeBytes, hash, ...(alone ? {} : { parts: [place] }) });
    }
  }

  async #hashSmall(files: readonly LocalFile[]): Promise<Hashed[]> {
    const readAt = Date.now();
    const known = await Promise.all(files.map(({ source }) => this.#memory.recall(source)));
    const unknown = files.filter((_, index) => !known[index]);
    const found =
      unknown.length > 0
        ? await this.#reading(unknown[0]!, () => this.#threads.hash(unknown.map(({ source }) => source)))
        : [];
    const fresh = new Map(unknown.map((file, index) => [file.path, found[index]]));
    return files.map((file, index) => {
      const read = known[index] ?? fresh.get(file.path);
      if (!read || read.identity.sizeBytes !== file.sizeBytes) throw changedFile(file.path);
      if (!known[index]) this.#memory.keep(file.source, read, readAt);
      this.#report('hashedBytes', file.sizeBytes);
      return { ...file, ...read };
    });
  }

  /** Offers the pack and waits until the store has it, so that few are held in memory. */
  async #uploadPack(members: readonly Hashed[]): Promise<SubmittedBlob> {
    const path = members[0]!.path;
    const build = () => this.#reading(members[0]!, () => this.#threads.pack([...members]));
    const known = this.#memory.recallPack(members);
    if (known) {
      const read = async () => (await build()).bytes;
      await this.#sender.offer({ ...known, path, read });
      return known;
    }
    const built = await build();
    const blob = { hash: built.hash, sizeBytes: built.bytes.length };
    // The sender keeps `read` for the whole upload, and with it what it holds.
    let held: Uint8Array | null = built.bytes;
    await this.#sender.offer({ ...blob, path, read: async () => held ?? (await build()).bytes });
    held = null;
    this.#memory.keepPack(members, blob);
    return blob;
  }

  #offer(blob: Parameters<BlobSender['offer']>[0]): void {
    const sent = this.#sender.offer(blob);
    sent.catch((error: unknown) => this.#abort.abort(error));
    this.#sends.push(sent);
  }

  /** What is wrong with a file, in the words of the client. */
  async #reading<T>(file: LocalFile, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof FileChanged) throw changedFile(this.#pathOf(error.source));
      this.#abort.signal.throwIfAborted();
      const { message, path: source = file.source } = error as NodeJS.ErrnoException;
      const path = this.#pathOf(source);
      throw refuse('FileNotFound', `"${path}" cannot be read: ${message}`, 'Check the file.', { path });
    }
  }

  #whenAborted(): Promise<never> {
    const { signal } = this.#abort;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  }

  #pathOf(source: string): string {
    return this.#files.find((file) => file.source === source)?.path ?? source;
  }

  #report(what: Exclude<keyof UploadProgress, 'totalBytes'>, bytes: number): void {
    this.#progress[what] += bytes;
    this.#options.onProgress?.({ ...this.#progress });
  }
}

/** Empty files are blobs of their own. */
const isSmall = ({ sizeBytes }: LocalFile): boolean => sizeBytes > 0 && sizeBytes <= LARGEST_PACKED_FILE;

/** @throws FarmApiError `SceneInvalid` when the file has become shorter */
async function readSlice({ source, path }: LocalFile, { offset, sizeBytes }: Chunk, room: Uint8Array) {
  const bytes = room.subarray(0, sizeBytes);
  const file = await open(source).catch(() => {
    throw changedFile(path);
  });
  try {
    for (let at = 0; at < sizeBytes; ) {
      const { bytesRead } = await file.read(bytes, at, sizeBytes - at, offset + at);
      if (bytesRead === 0) throw changedFile(path);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes;
}
