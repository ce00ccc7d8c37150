import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BLOCK_BYTES, BlockWriter } from './blockWriter.ts';

const random = xoroshiro128plus(20_261_130);
const below = (limit: number): number => (random.next() >>> 0) % limit;
let folder: string;
let path: string;
let file: FileHandle;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-blocks-'));
  path = join(folder, 'file');
  file = await open(path, 'a');
});
afterEach(async () => {
  await file.close();
  await rm(folder, { recursive: true, force: true });
});

/** Writes `bytes` in pieces from one piece of memory, which is spoilt as soon as it may be used again. */
async function writeAll(writer: BlockWriter, bytes: Buffer): Promise<void> {
  const memory = Buffer.alloc(2 * BLOCK_BYTES);
  for (let at = 0; at < bytes.length; ) {
    const size = Math.min(bytes.length - at, 1 + below(below(8) === 0 ? memory.length - 1 : 9_000));
    bytes.copy(memory, 0, at, at + size);
    const taken = writer.write(memory.subarray(0, size));
    memory.fill(0, 0, size);
    if (taken) await taken;
    at += size;
  }
}

const bytes = Buffer.from(Uint8Array.from({ length: 5 * BLOCK_BYTES + 12_345 }, () => below(256)));

it('writes all bytes in their order, though the memory of a piece is used again', async () => {
  const writer = new BlockWriter(file);
  await writeAll(writer, bytes);
  await writer.flush();
  expect((await readFile(path)).equals(bytes)).toBe(true);
  // Whoever goes on does so behind them.
  await writeAll(writer, bytes.subarray(0, 700));
  await writer.flush();
  expect((await readFile(path)).length).toBe(bytes.length + 700);
});

it('keeps the order where a writer is left before its block is written, and another goes on', async () => {
  const writer = new BlockWriter(file);
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES)
    writer.write(bytes.subarray(at, at + BLOCK_BYTES))?.catch(() => {});
  await writer.flush();
  expect((await readFile(path)).equals(bytes)).toBe(true);
});

it('drops what it has not written, and begins anew', async () => {
  const writer = new BlockWriter(file);
  await writeAll(writer, bytes);
  await writer.drop();
  await file.truncate(0);
  await writeAll(writer, bytes.subarray(0, BLOCK_BYTES + 9));
  await writer.flush();
  expect((await readFile(path)).equals(bytes.subarray(0, BLOCK_BYTES + 9))).toBe(true);
});

it('writes nothing behind what could not be written, and says so from then on', async () => {
  const readOnly = await open(path, 'r');
  try {
    const writer = new BlockWriter(readOnly);
    await expect(writeAll(writer, bytes)).rejects.toMatchObject({ code: 'EBADF' });
    await expect(writer.flush()).rejects.toMatchObject({ code: 'EBADF' });
    expect(await readFile(path)).toHaveLength(0);
  } finally {
    await readOnly.close();
  }
});
