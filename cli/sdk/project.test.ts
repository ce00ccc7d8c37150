import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readProject } from './project.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-project-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const put = (name: string, bytes: string | Buffer = 'x') => writeFile(join(folder, name), bytes);

/** A `.glb` that holds nothing but its JSON. */
function glb(json: object): Buffer {
  const chunk = Buffer.from(JSON.stringify(json).padEnd(Math.ceil(JSON.stringify(json).length / 4) * 4));
  const head = Buffer.alloc(20);
  head.write('glTF');
  for (const [index, value] of [2, 20 + chunk.length, chunk.length, 0x4e4f534a].entries()) {
    head.writeUInt32LE(value, 4 + 4 * index);
  }
  return Buffer.concat([head, chunk]);
}

describe('readProject', () => {
  it('brings what a .glb names and its light, and leaves other pictures alone', async () => {
    const environment = { FRAMEWRIGHT_environment: { uri: 'sky.hdr' } };
    await put('shot.glb', glb({ images: [{ uri: 'wood%20a.png' }, { uri: 'data:,x' }], extensions: environment }));
    for (const name of ['wood a.png', 'sky.hdr', 'Shot.exr', 'environment.hdr', 'render.exr']) await put(name);
    const { main, files } = await readProject(join(folder, 'shot.glb'));
    expect(main).toBe('shot.glb');
    expect(files.map(({ path }) => path).sort()).toEqual(
      ['Shot.exr', 'environment.hdr', 'shot.glb', 'sky.hdr', 'wood a.png'].sort(),
    );
  });

  it('takes a sequence by its pattern or its first file, with what all frames name', async () => {
    for (const [index, image] of ['a.png', 'b.png'].entries()) {
      await put(image);
      await put(`sim.000${index + 8}.glb`, glb({ images: [{ uri: image }] }));
    }
    await put('sim.10.glb', glb({}));
    const all = ['sim.0008.glb', 'sim.0009.glb', 'a.png', 'b.png'];
    for (const name of ['sim.####.glb', 'sim.0008.glb']) {
      const { main, files, name: shot } = await readProject(join(folder, name));
      expect({ main, shot, files: files.map(({ path }) => path).filter((path) => !path.startsWith('env')) }).toEqual({
        main: 'sim.0008.glb',
        shot: 'sim',
        files: all,
      });
    }
    expect((await readProject(join(folder, 'sim.0009.glb'))).main).toBe('sim.0009.glb');
    await expect(readProject(join(folder, 'none.####.glb'))).rejects.toMatchObject({ code: 'FileNotFound' });
  });

  it('names the file that is missing', async () => {
    await put('broken.glb', glb({ buffers: [{ uri: 'gone.bin' }] }));
    await expect(readProject(join(folder, 'broken.glb'))).rejects.toMatchObject({
      code: 'AssetMissing',
      place: { path: 'gone.bin' },
    });
  });

  it('leaves damaged files to the inspection', async () => {
    await put('damaged.glb', glb({}).subarray(0, 21));
    expect((await readProject(join(folder, 'damaged.glb'))).files[0]!.path).toBe('damaged.glb');
  });
});
