import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProjectReader } from '../../renderer/pathtracer/gltf/files.ts';
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
    const all = ['a.png', 'b.png', 'sim.0008.glb', 'sim.0009.glb'];
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

  it('takes a folder that holds one sequence, and refuses one that holds more by name', async () => {
    const project = join(folder, 'sequence');
    await mkdir(project);
    for (const name of ['sim.1000.glb', 'sim.0999.glb', 'sim.10000.glb']) await writeFile(join(project, name), glb({}));
    await writeFile(join(project, 'notes.txt'), 'of the shot');
    const { main, name, files } = await readProject(project);
    expect({ main, name }).toEqual({ main: 'sim.0999.glb', name: 'sim' });
    expect(files).toHaveLength(4);
    for (const other of ['sim.001.glb', 'set.glb']) {
      await writeFile(join(project, other), glb({}));
      const said = { code: 'SceneAmbiguous', message: expect.stringContaining(other) };
      await expect(readProject(project)).rejects.toMatchObject(said);
      await rm(join(project, other));
    }
  });

  it('names the file that is missing', async () => {
    await put('broken.glb', glb({ buffers: [{ uri: 'gone.bin' }] }));
    await expect(readProject(join(folder, 'broken.glb'))).rejects.toMatchObject({
      code: 'AssetMissing',
      place: { path: 'gone.bin' },
    });
  });

  it('follows links inside the project, and refuses those that lead out of it or in circles', async () => {
    const project = join(folder, 'linked');
    await mkdir(join(project, 'textures'), { recursive: true });
    await writeFile(join(project, 'shot.glb'), glb({}));
    await writeFile(join(project, 'textures', 'wood.png'), 'wood');
    await symlink(join(project, 'textures', 'wood.png'), join(project, 'link.png'));
    const { files, root } = await readProject(project);
    expect(files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['link.png', 4],
      ['shot.glb', glb({}).length],
      ['textures/wood.png', 4],
    ]);
    expect(root).toBe(project);
    const refusal = (path: string) => expect(readProject(path)).rejects;
    await symlink('/etc/hostname', join(project, 'out.png'));
    await refusal(project).toMatchObject({ code: 'NameInvalid', place: { path: 'out.png' } });
    await rm(join(project, 'out.png'));
    await symlink(project, join(project, 'textures', 'again'));
    await refusal(project).toMatchObject({ code: 'NameInvalid', place: { path: join('textures', 'again') } });
    await rm(join(project, 'textures', 'again'));
    await symlink('/etc/hostname', join(project, 'shot.hdr'));
    await refusal(join(project, 'shot.glb')).toMatchObject({ code: 'NameInvalid', place: { path: 'shot.hdr' } });
  });

  it('takes and refuses the same links whether the folder or the scene file is named, and says what they are', async () => {
    const project = join(folder, 'both ways');
    const scene = join(project, 'shot.gltf');
    await mkdir(join(project, 'textures'), { recursive: true });
    await mkdir(join(folder, 'outside'));
    await writeFile(join(folder, 'outside', 'secret.png'), 'secret');
    await writeFile(join(project, 'textures', 'wood.png'), 'wood');
    const names = (uri: string) => writeFile(scene, JSON.stringify({ images: [{ uri }] }));
    const bothWays = async (name: string, target: string, uri = name) => {
      await symlink(target, join(project, name));
      await names(uri);
      const read = await Promise.allSettled([readProject(project), readProject(scene)]);
      await rm(join(project, name));
      return read.map((one) =>
        one.status === 'fulfilled' ? one.value.files.map(({ path }) => path).includes(uri) : one.reason,
      );
    };
    expect(await bothWays('oak.png', join('textures', 'wood.png'))).toEqual([true, true]);
    expect(await bothWays('tex', 'textures', 'tex/wood.png')).toEqual([true, true]);
    const refusals = [
      ['tex', join('..', 'outside'), 'tex/secret.png', 'NameInvalid', '"tex" is a link out of the project.'],
      ['tex', '..', 'tex/outside/secret.png', 'NameInvalid', '"tex" is a link out of the project.'],
      ['a.png', '../outside/secret.png', 'a.png', 'NameInvalid', '"a.png" is a link out of the project.'],
      ['a.png', 'gone.png', 'a.png', 'FileNotFound', '"a.png" is a link to "gone.png", which is not there.'],
      ['a.png', 'a.png', 'a.png', 'NameInvalid', '"a.png" is a link that leads back to itself.'],
    ] as const;
    for (const [name, target, uri, code, message] of refusals) {
      const refusal = { name: 'FarmApiError', code, place: { path: name }, message };
      expect(await bothWays(name, target, uri)).toEqual([
        expect.objectContaining(refusal),
        expect.objectContaining(refusal),
      ]);
    }
    const circle = (await bothWays('self', '.', 'shot.gltf'))[0];
    expect(circle).toMatchObject({ code: 'NameInvalid', message: '"self" is a link to a folder that it lies in.' });
    // Not a file of the project, though there is something of this name.
    await names('textures');
    await expect(readProject(scene)).rejects.toMatchObject({ code: 'AssetMissing', place: { path: 'textures' } });
  });

  it('reads URIs as the engine does, and names the scene with one that it refuses', async () => {
    const project = join(folder, 'uris');
    const scene = join(project, 'shot.gltf');
    await mkdir(join(project, 'sub'), { recursive: true });
    const files = ['100%.bin', 'a b.png', '50%20.png', 'sub/c.png', 'sub/d%é.png'];
    for (const file of files) await writeFile(join(project, file), 'x');
    const engine = new ProjectReader(project);
    const read = async (uri: string) => {
      await writeFile(scene, JSON.stringify({ images: [{ uri }] }));
      return (await readProject(scene)).files.map(({ path }) => path).find((path) => path !== 'shot.gltf');
    };
    const taken = [
      '100%.bin',
      '100%25.bin',
      'a%20b.png',
      'a b.png',
      '50%2520.png',
      'sub\\c.png',
      './sub//../sub/c.png',
    ];
    for (const uri of [...taken, 'sub/d%é.png'])
      expect([uri, await read(uri)]).toEqual([uri, engine.resolveUri('shot.gltf', uri)]);
    for (const uri of [
      '../up.png',
      '/etc/hostname',
      'file:///etc/hostname',
      'https://x/a.png',
      'a%00b',
      '%2e%2e/up.png',
    ]) {
      expect(() => engine.resolveUri('shot.gltf', uri)).toThrow(expect.objectContaining({ code: 'NameInvalid' }));
      await expect(read(uri)).rejects.toMatchObject({ code: 'NameInvalid', place: { path: uri, scene: 'shot.gltf' } });
    }
    await writeFile(scene, '{"images": [null, 5], "scenes": [null], "buffers": [{"uri": 3}]}');
    expect((await readProject(scene)).files).toHaveLength(1);
  });

  it.skipIf(process.platform !== 'linux')(
    'keeps names of 255 bytes, and refuses those that are not UTF-8',
    async () => {
      const project = join(folder, 'names');
      await mkdir(project);
      await writeFile(join(project, 'shot.glb'), glb({}));
      const long = `${'ü'.repeat(125)}x.png`;
      expect(Buffer.byteLength(long)).toBe(255);
      await writeFile(join(project, long), 'x');
      expect((await readProject(project)).files.map(({ path }) => path)).toEqual(['shot.glb', long]);
      await writeFile(Buffer.concat([Buffer.from(`${project}/`), Buffer.from([0x66, 0xff, 0x66])]), 'x');
      await expect(readProject(project)).rejects.toMatchObject({ code: 'NameInvalid', place: { path: 'f\ufffdf' } });
    },
  );

  it('leaves damaged files to the inspection', async () => {
    await put('damaged.glb', glb({}).subarray(0, 21));
    expect((await readProject(join(folder, 'damaged.glb'))).files[0]!.path).toBe('damaged.glb');
  });
});
