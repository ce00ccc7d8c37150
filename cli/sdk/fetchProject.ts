/** Brings the files that a job renders from back to a folder, each checked by its hash. */
import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { FarmClient } from './client.ts';
import { refuse } from './errors.ts';
import type { ProjectFilesView } from './types.ts';

type StoredFile = ProjectFilesView['items'][number];
/** The bytes under an address. */
type Fetcher = (url: string) => Promise<Buffer>;

/** Neighbouring files share blobs; so many are kept for the next file. */
const BLOBS_KEPT = 4;

/**
 * @param folder absolute, empty
 * @returns path of the scene file in it, relative
 * @throws FarmApiError `HashMismatch` when the store gives other bytes, `NotFound` when it gives none
 */
export async function fetchProject(client: FarmClient, jobId: string, folder: string): Promise<string> {
  let cursor: string | undefined;
  for (;;) {
    const page = await client.projectFiles(jobId, cursor);
    const fetchBlob = rememberingLast(BLOBS_KEPT, fetchBytes);
    for (const file of page.items) {
      const target = resolve(folder, ...file.path.split('/'));
      if (!target.startsWith(folder + sep))
        throw refuse('NameInvalid', `"${file.path}" leads out of the folder.`, 'Report this.');
      await mkdir(dirname(target), { recursive: true });
      await write(file, target, page.blobs, fetchBlob);
    }
    if (page.nextCursor === null) return join(...page.main.split('/'));
    cursor = page.nextCursor;
  }
}

async function write(file: StoredFile, target: string, blobs: ProjectFilesView['blobs'], fetchBlob: Fetcher) {
  const { path, hash, parts, url } = file;
  const digest = createHash('sha256');
  const out = await open(target, 'w');
  try {
    for await (const bytes of parts ? slicesOf(file, blobs, fetchBlob) : streamOf(url ?? '', path)) {
      digest.update(bytes);
      await out.writeFile(bytes);
    }
  } finally {
    await out.close();
  }
  if (digest.digest('hex') === hash) return;
  throw refuse('HashMismatch', `The store gave other bytes for "${path}".`, 'Look at the store ("farm doctor").', {
    path,
  });
}

async function* slicesOf(file: StoredFile, blobs: ProjectFilesView['blobs'], fetchBlob: Fetcher) {
  for (const { blob, offset, sizeBytes } of file.parts ?? []) {
    const bytes = await fetchBlob(blobs[blob] ?? '').catch(() => {
      throw gone(file.path);
    });
    yield bytes.subarray(offset, offset + sizeBytes);
  }
}

async function* streamOf(url: string, path: string): AsyncIterable<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw gone(path);
  yield* response.body as unknown as AsyncIterable<Uint8Array>;
}

async function fetchBytes(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The store answered ${response.status}.`);
  return Buffer.from(await response.arrayBuffer());
}

/** `get`, with its last few answers kept. */
function rememberingLast(count: number, get: Fetcher): Fetcher {
  const kept = new Map<string, Promise<Buffer>>();
  return (url) => {
    const found = kept.get(url) ?? get(url);
    kept.delete(url);
    kept.set(url, found);
    if (kept.size > count) kept.delete(kept.keys().next().value!);
    return found;
  };
}

const gone = (path: string) =>
  refuse('NotFound', `The store has no "${path}" any more.`, 'Submit the job again.', { path });
