/** Files that a benchmark of the upload works on. */
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const PIECE_BYTES = 8e6;

/** Fresh bytes each time; makes the folder. */
export async function writeRandomFile(path: string, sizeBytes: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  for (let left = Math.round(sizeBytes); left > 0; left -= PIECE_BYTES) {
    await file.write(randomBytes(Math.min(left, PIECE_BYTES)));
  }
  await file.close();
}

/** `count` files of `sizeBytes`, 500 to a folder. */
export async function writeManyFiles(root: string, count: number, sizeBytes: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const folder = join(root, `cache${Math.floor(index / 500)}`);
    if (index % 500 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${index}.dat`), randomBytes(sizeBytes));
  }
}

/** Overwrites a run of bytes; place and length as shares of the file. */
export async function changeRegion(path: string, at: number, share: number): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  const bytes = randomBytes(Math.round(size * share));
  await file.write(bytes, 0, bytes.length, Math.round(size * at));
  await file.close();
}

/** Puts fresh bytes in between: all that follows moves. */
export async function insertRegion(path: string, at: number, share: number): Promise<void> {
  const { size } = await stat(path);
  const place = Math.round(size * at);
  const longer = `${path}.longer`;
  await pipeline(createReadStream(path, { end: place - 1 }), createWriteStream(longer));
  await pipeline(
    async function* () {
      yield randomBytes(Math.round(size * share));
    },
    createWriteStream(longer, { flags: 'a' }),
  );
  await pipeline(createReadStream(path, { start: place }), createWriteStream(longer, { flags: 'a' }));
  await rename(longer, path);
}
