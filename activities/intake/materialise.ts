/** A submission's files out of the store into a folder, as an engine wants them. */
import { createHash } from 'node:crypto';
import { constants, link, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { checkProjectPaths } from '../../domain/paths.ts';
import { blobsOfFiles, partsOf } from '../../domain/projectFiles.ts';
import type { StoredFile, Submission } from '../../ports/db/documents.ts';
import { hashFile } from '../../ports/store/hashFile.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';

const PARALLEL = 8;

/** How many missing files an error names. */
const NAMED = 5;

/**
 * Blobs of the submission that the store does not hold, or not whole.
 * @throws FarmError `FileEmpty` for a scene file without bytes; `AssetMissing` when the scene file is not among the files; `NameInvalid`
 */
export async function missingBlobs(
  store: ObjectStore,
  studioId: string,
  { files, blobs, main }: Submission,
): Promise<Set<string>> {
  checkProjectPaths(files.map(({ path }) => path));
  const scene = files.find(({ path }) => path === main);
  if (!scene) throw new FarmError('AssetMissing', `The scene file ${main} is not among the files.`, { file: main });
  if (scene.sizeBytes === 0) throw new FarmError('FileEmpty', `${main} is empty.`, { file: main });
  const missing = new Set<string>();
  await inParallel(blobsOfFiles(files, blobs), async ({ hash, sizeBytes }) => {
    const found = await store.stat(studioId, 'blobs', hash);
    if (found?.sizeBytes !== sizeBytes) missing.add(hash);
  });
  return missing;
}

/** Names the files that lack these blobs. */
export function uploadIncomplete({ files }: Pick<Submission, 'files'>, missing: ReadonlySet<string>): FarmError {
  const short = files.filter((file) => partsOf(file).some(({ blob }) => missing.has(blob)));
  const names = short.slice(0, NAMED).map(({ path }) => path);
  const more = short.length > NAMED ? ` and ${short.length - NAMED} more` : '';
  return new FarmError('UploadIncomplete', `Not uploaded yet: ${names.join(', ')}${more}.`, {
    missing: short.length,
    file: names[0]!,
  });
}

/**
 * Writes the files below `root`, each checked against its hash. Files of equal bytes share them on disk.
 * @throws FarmError `HashMismatch` when parts do not make up their file, and what the store throws
 */
export async function materialise(
  store: ObjectStore,
  studioId: string,
  files: readonly StoredFile[],
  root: string,
): Promise<void> {
  const paths = new Map(files.map((file) => [file, join(root, file.path)]));
  await inParallel(new Set([...paths.values()].map(dirname)), (folder) => mkdir(folder, { recursive: true }));
  const first = oneOfEach(files);
  const wholes = first.filter(({ parts }) => !parts);
  await inParallel(wholes, (file) => store.getToFile(studioId, 'blobs', file.hash, paths.get(file)!));
  await putTogether(
    store,
    studioId,
    first.filter(({ parts }) => parts),
    paths,
  );
  const written = new Map(first.map((file) => [file.hash, paths.get(file)!]));
  await inParallel(
    files.filter((file) => written.get(file.hash) !== paths.get(file)),
    (file) => link(written.get(file.hash)!, paths.get(file)!),
  );
}

/** A slice of a blob and where in which file it belongs. */
interface Slice {
  file: StoredFile;
  at: number;
  offset: number;
  sizeBytes: number;
}

/** Writes files that are made of parts: each blob is fetched once and its slices go to all files that hold them. */
async function putTogether(
  store: ObjectStore,
  studioId: string,
  files: readonly StoredFile[],
  paths: ReadonlyMap<StoredFile, string>,
): Promise<void> {
  const slices = new Map<string, Slice[]>();
  for (const file of files) {
    let at = 0;
    for (const { blob, offset, sizeBytes } of partsOf(file)) {
      const list = slices.get(blob) ?? [];
      list.push({ file, at, offset, sizeBytes });
      slices.set(blob, list);
      at += sizeBytes;
    }
  }
  await inParallel(slices, async ([blob, wanted]) => {
    const bytes = await store.get(studioId, 'blobs', blob);
    for (const { file, at, offset, sizeBytes } of wanted) {
      const slice = bytes.subarray(offset, offset + sizeBytes);
      if (slice.length === file.sizeBytes) checkHash(file, createHash('sha256').update(slice).digest('hex'));
      await writeAt(paths.get(file)!, slice, at);
    }
  });
  const joined = files.filter((file) => partsOf(file).length > 1);
  await inParallel(joined, async (file) => checkHash(file, (await hashFile(paths.get(file)!)).hash));
}

async function writeAt(path: string, bytes: Buffer, at: number): Promise<void> {
  // Parts come in any order; whoever comes first makes the file.
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    await file.write(bytes, 0, bytes.length, at);
  } finally {
    await file.close();
  }
}

/** @throws FarmError `HashMismatch` */
function checkHash({ path, hash }: StoredFile, found: string): void {
  if (found === hash) return;
  throw new FarmError('HashMismatch', `The parts of ${path} do not make up the file that was announced.`, {
    file: path,
    hash,
  });
}

const oneOfEach = (files: readonly StoredFile[]): StoredFile[] => [
  ...new Map(files.map((file) => [file.hash, file])).values(),
];

/** Runs `work` on all items, a few at a time. After a failure no other begins; it is thrown when those under way have ended. */
export async function inParallel<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const place = async () => {
    for (let next = iterator.next(); !next.done && failures.length === 0; next = iterator.next()) {
      await work(next.value).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, place));
  if (failures.length > 0) throw failures[0];
}
