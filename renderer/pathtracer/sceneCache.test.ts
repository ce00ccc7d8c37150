import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCube } from '../../test/support/scenes.ts';
import { SceneCache } from './sceneCache.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-scenes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A project in a folder of its own. */
async function project(name: string): Promise<{ root: string; main: string }> {
  const root = await mkdtemp(join(folder, `${name}-`));
  await writeCube(join(root, 'cube.glb'), { variant: 'cached' });
  return { root, main: 'cube.glb' };
}

describe('the scene cache', () => {
  it('gives the same files in another folder from memory', async () => {
    const cache = new SceneCache();
    const first = await project('one');
    const scene = await cache.load(first);
    const other = { root: await mkdtemp(join(folder, 'two-')), main: 'cube.glb' };
    await cp(first.root, other.root, { recursive: true });
    expect(await cache.load(other)).toBe(scene);
    await rm(first.root, { recursive: true });
    expect(await cache.load(other)).toBe(scene);
  });

  it('loads again when a byte changed, though size and name did not', async () => {
    const cache = new SceneCache();
    const files = await project('changed');
    const scene = await cache.load(files);
    const path = join(files.root, files.main);
    const bytes = await readFile(path);
    const at = bytes.indexOf('clay');
    bytes.write('mud!', at);
    await writeFile(path, bytes);
    expect(await cache.load(files)).not.toBe(scene);
  });

  it('loads again when a file appeared beside the scene', async () => {
    const cache = new SceneCache();
    const files = await project('grown');
    const scene = await cache.load(files);
    await writeFile(join(files.root, 'notes.txt'), 'a picture could be one');
    expect(await cache.load(files)).not.toBe(scene);
  });

  it('keeps nothing of a scene that does not load', async () => {
    const cache = new SceneCache();
    const files = await project('broken');
    await cache.load(files);
    await writeFile(join(files.root, files.main), 'glTF');
    await expect(cache.load(files)).rejects.toMatchObject({ code: 'SceneInvalid' });
    await expect(cache.load({ ...files, main: 'gone.glb' })).rejects.toMatchObject({ code: 'FileNotFound' });
  });
});
