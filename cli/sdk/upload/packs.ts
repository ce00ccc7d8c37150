/**
 * Small files share blobs, since each object costs the store and the network a round trip. Which files are packed together
 * follows from their contents and order alone, so that a file more or less changes one blob and not all that follow it.
 * The numbers are part of the format, like the chunker's.
 */

/** Files of more bytes are blobs of their own, or cut. */
export const LARGEST_PACKED_FILE = 64 * 2 ** 10;
/** Bytes of a pack on average, and at most. */
const NORMAL_PACK = 2 ** 20;
const LARGEST_PACK = 4 * 2 ** 20;

export interface SmallFile {
  /** SHA-256, lower-case hex. */
  hash: string;
  /** 1 to `LARGEST_PACKED_FILE`. */
  sizeBytes: number;
}

/**
 * The files of each pack in order; those of equal content go in once.
 * @param files in the order of their paths
 */
export function packFiles<T extends SmallFile>(files: readonly T[]): T[][] {
  const packs: T[][] = [];
  let pack: T[] = [];
  let bytes = 0;
  const close = () => {
    if (pack.length > 0) packs.push(pack);
    pack = [];
    bytes = 0;
  };
  const seen = new Set<string>();
  for (const file of files) {
    if (seen.has(file.hash)) continue;
    seen.add(file.hash);
    if (bytes + file.sizeBytes > LARGEST_PACK) close();
    pack.push(file);
    bytes += file.sizeBytes;
    if (endsPack(file)) close();
  }
  close();
  return packs;
}

/** True for one byte in `NORMAL_PACK`, by the first 32 bits of the file's hash. */
const endsPack = ({ hash, sizeBytes }: SmallFile): boolean =>
  Number.parseInt(hash.slice(0, 8), 16) < (sizeBytes / NORMAL_PACK) * 2 ** 32;
