import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockedKeys, tryLock, withLock } from './hostLock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Files of locks; those without a key are what a process makes its locks from. */
const locks = async (): Promise<string[]> => (await readdir(folder)).filter((name) => !name.startsWith('~'));

it('has one holder a key', async () => {
  const release = await tryLock(folder, 'a');
  expect(release).not.toBeNull();
  expect(await tryLock(folder, 'a')).toBeNull();
  const other = await tryLock(folder, 'b');
  expect([...(await lockedKeys(folder))].filter((key) => key !== '').sort()).toEqual(['a', 'b']);
  await release?.();
  await other?.();
  expect(await locks()).toEqual([]);
  expect(await tryLock(folder, 'a')).not.toBeNull();
});

it('lets tasks in one after the other', async () => {
  let inside = 0;
  let most = 0;
  const task = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 2));
    inside--;
  };
  await Promise.all(Array.from({ length: 8 }, () => withLock(folder, 'a', task)));
  expect(most).toBe(1);
  expect(await locks()).toEqual([]);
});

it('goes on in a folder that was emptied', async () => {
  await (await tryLock(folder, 'a'))?.();
  for (const name of await readdir(folder)) await rm(join(folder, name));
  expect(await tryLock(folder, 'a')).not.toBeNull();
  expect(await tryLock(folder, 'a')).toBeNull();
});

it('takes over from the dead and removes what they made locks from', async () => {
  // Process ids end far below.
  const dead = '999999999.1.x';
  await writeFile(join(folder, `a~${dead}`), '');
  await writeFile(join(folder, `~${dead}`), '');
  expect(await tryLock(folder, 'a')).not.toBeNull();
  expect((await readdir(folder)).filter((name) => name.endsWith(dead))).toEqual([]);
});
