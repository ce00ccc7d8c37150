/**
 * Files of a project and the blobs that hold their bytes. A blob is what the store knows: bytes under their SHA-256. A
 * file is one blob, or is put together from parts of blobs: large files are cut by content, small ones share a blob.
 */

/** A slice of a blob, bytes `offset` to `offset + sizeBytes`. */
export interface FilePart {
  blob: string;
  offset: number;
  sizeBytes: number;
}

/** A file of a submission or version: path relative to the project's root, forward slashes. */
export interface ProjectFile {
  path: string;
  sizeBytes: number;
  /** SHA-256 of the whole file, lower-case hex. */
  hash: string;
  /** In the order of the file, without gaps; absent: the file is the blob `hash`. */
  parts?: FilePart[] | undefined;
}

export interface Blob {
  hash: string;
  sizeBytes: number;
}

/** The parts of a file, also of one that is a blob of its own. An empty file has its (empty) blob too. */
export const partsOf = (file: ProjectFile): FilePart[] =>
  file.parts ?? [{ blob: file.hash, offset: 0, sizeBytes: file.sizeBytes }];

/**
 * The blobs that files are made of, each once, in the order of their first use.
 * @param blobs sizes of the blobs that files name by their parts
 * @throws RangeError when a part names a blob that is not among `blobs`
 */
export function blobsOfFiles(files: readonly ProjectFile[], blobs: readonly Blob[] = []): Blob[] {
  const sizes = new Map(blobs.map(({ hash, sizeBytes }) => [hash, sizeBytes]));
  const found = new Map<string, number>();
  for (const file of files) {
    if (!file.parts) found.set(file.hash, file.sizeBytes);
    for (const { blob } of file.parts ?? []) {
      const sizeBytes = sizes.get(blob);
      if (sizeBytes === undefined) throw new RangeError(`"${file.path}" has a part of an unknown blob ${blob}`);
      found.set(blob, sizeBytes);
    }
  }
  return [...found].map(([hash, sizeBytes]) => ({ hash, sizeBytes }));
}

/** A stretch of a file that a blob holds. */
export interface BlobPlace {
  path: string;
  /** Where in the file it begins. */
  offset: number;
  sizeBytes: number;
}

/** Where files hold a blob, in the order of the files. */
export function placesOfBlob(files: readonly ProjectFile[], hash: string): BlobPlace[] {
  return files.flatMap((file) => {
    let offset = 0;
    return partsOf(file).flatMap(({ blob, sizeBytes }) => {
      const begin = offset;
      offset += sizeBytes;
      return blob === hash ? [{ path: file.path, offset: begin, sizeBytes }] : [];
    });
  });
}
