import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from './makeFolder.ts';

it('makes folders with those above them, and takes those that are there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-folder-'));
  try {
    const inner = join(folder, 'a', 'b', 'c');
    await Promise.all([makeFolder(inner), makeFolder(inner), makeFolder(join(folder, 'a', 'd'))]);
    await makeFolder(inner);
    expect((await stat(inner)).isDirectory()).toBe(true);
    await writeFile(join(folder, 'file'), '');
    await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(folder, 'file', 'inner'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.skipIf(process.platform !== 'linux')('ends where the system takes no folder at all', async () => {
  await expect(makeFolder('/proc/no-process/inner')).rejects.toMatchObject({ code: 'ENOENT' });
});
