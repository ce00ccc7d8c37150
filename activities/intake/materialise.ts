/** A submission's files out of the store into a folder, as an engine wants them. */
import { link, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { checkProjectPaths } from '../../domain/paths.ts';
import type { StoredFile, Submission } from '../../ports/db/documents.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';

const PARALLEL = 8;

/** How many missing files an error names. */
const NAMED = 5;

/**
 * Checks that all files of the submission are in the store, whole.
 * @throws FarmError `UploadIncomplete` naming what is missing; `FileEmpty` for a scene file without bytes; `AssetMissing`
 *   when the scene file is not among the files; `NameInvalid`
 */
export async function checkUploads(store: ObjectStore, studioId: string, submission: Submission): Promise<void> {
  const { files, main } = submission;
  checkProjectPaths(files.map(({ path }) => path));
  const scene = files.find(({ path }) => path === main);
  if (!scene) throw new FarmError('AssetMissing', `The scene file ${main} is not among the files.`, { file: main });
  if (scene.sizeBytes === 0) throw new FarmError('FileEmpty', `${main} is empty.`, { file: main });
  const missing: StoredFile[] = [];
  await inParallel(oneOfEach(files), async (file) => {
    const found = await store.stat(studioId, 'blobs', file.hash);
    if (!found || found.sizeBytes !== file.sizeBytes) missing.push(file);
  });
  if (missing.length === 0) return;
  const names = missing.slice(0, NAMED).map(({ path }) => path);
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  throw new FarmError('UploadIncomplete', `Not uploaded yet: ${names.join(', ')}${more}.`, {
    missing: missing.length,
    file: names[0]!,
  });
}

/** Writes the files below `root`, each checked against its hash. Files of equal bytes share them on disk. */
export async function materialise(
  store: ObjectStore,
  studioId: string,
  files: readonly StoredFile[],
  root: string,
): Promise<void> {
  const paths = new Map(files.map((file) => [file, join(root, file.path)]));
  await inParallel(new Set([...paths.values()].map(dirname)), (folder) => mkdir(folder, { recursive: true }));
  const first = oneOfEach(files);
  await inParallel(first, (file) => store.getToFile(studioId, 'blobs', file.hash, paths.get(file)!));
  const written = new Map(first.map((file) => [file.hash, paths.get(file)!]));
  await inParallel(
    files.filter((file) => written.get(file.hash) !== paths.get(file)),
    (file) => link(written.get(file.hash)!, paths.get(file)!),
  );
}

const oneOfEach = (files: readonly StoredFile[]): StoredFile[] => [
  ...new Map(files.map((file) => [file.hash, file])).values(),
];

/** Runs `work` on all items, a few at a time. */
async function inParallel<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const place = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: PARALLEL }, place));
}
