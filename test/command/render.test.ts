/** `farm render` as a person runs it: the built command, in a process of its own, on real files. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveSettings } from '../../domain/settings.ts';
import { decodeExr } from '../../renderer/image/exr/read.ts';
import { createPathTracerEngine } from '../../renderer/pathtracer/engine.ts';
import { hasVulkanForTests } from '../../renderer/pathtracer/wgsl/testing/softwareVulkan.ts';
import { farmIn } from '../support/command.ts';
import { writeCube } from '../support/scenes.ts';

const SMALL = ['--resolution', '64x36', '--samples', '4', '--tier', 'cpu'];

let folder: string;
let scene: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-render-'));
  scene = await writeCube(join(folder, 'cube.glb'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const farm = (...args: string[]) => farmIn(folder)(...args);
const sha256 = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

describe('farm render', () => {
  it('writes whole frames with the very bytes of the farm’s engine, and leaves nothing else', async () => {
    const { exitCode, stdout } = await farm(
      ...[
        'render',
        scene,
        '-o',
        'out/cube.###.exr',
        '--frames',
        '2,5',
        '--threads',
        '1',
        '--preview',
        '--json',
        ...SMALL,
      ],
    );
    expect(exitCode).toBe(0);
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(
      ['002', '005'].flatMap((frame) => [`cube.${frame}.exr`, `cube.${frame}.png`]),
    );
    const result = JSON.parse(stdout);
    expect(result.warnings).toMatchObject([{ code: 'NoLight' }]);
    expect(result.frames.map(({ frame }: { frame: number }) => frame)).toEqual([2, 5]);

    // What a node does with a lease.
    const engine = createPathTracerEngine();
    const outputFolder = join(folder, 'node');
    await mkdir(outputFolder);
    const files = { root: folder, main: 'cube.glb' };
    const { settings } = resolveSettings(
      { frames: '5', width: 64, height: 36, samples: 4, tier: 'cpu' },
      await engine.inspect(files),
    );
    expect(result.settings).toEqual(settings);
    const made: string[] = [];
    const sink = {
      unit: async ({ exrPath }: { exrPath: string }) => void made.push(exrPath),
      progress: () => undefined,
      log: () => undefined,
    };
    const units = [{ frame: 5, tile: 0 }];
    await engine.render({ files, settings, units, outputFolder, threads: 2 }, sink, new AbortController().signal);
    await engine.close();
    expect(await sha256(join(folder, 'out', 'cube.005.exr'))).toBe(await sha256(made[0]!));
  });

  it.each(['raycast', ...(hasVulkanForTests() ? ['raster'] : [])])(
    'draws with technique %s, and the file says so',
    async (technique) => {
      const { exitCode, stdout, stderr } = await farm(
        ...['render', scene, '-o', `${technique}/cube.###.exr`, '--frames', '2-3', '--technique', technique, '--json'],
        ...['--resolution', '64x36'],
      );
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(stdout).settings).toMatchObject({ technique });
      const path = join(folder, technique, 'cube.003.exr');
      const { attributes, planes } = await decodeExr(await readFile(path));
      expect(attributes['framewright:build']).toMatch(new RegExp(`^pathtracer-.*\\+${technique}$`));
      expect(new Set(planes.get('R')!).size).toBeGreaterThan(20);
    },
  );

  it('goes on where it was interrupted', async () => {
    const before = await stat(join(folder, 'out', 'cube.002.exr'));
    const { exitCode, stdout } = await farm(
      ...['render', scene, '-o', 'out/cube.###.exr', '--frames', '2,3', '--skip-existing', ...SMALL],
    );
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 there already') });
    expect((await stat(join(folder, 'out', 'cube.002.exr'))).mtimeMs).toBe(before.mtimeMs);
    expect((await stat(join(folder, 'out', 'cube.003.exr'))).size).toBeGreaterThan(1000);
  });

  it('says before it renders that frames cannot go where they should', async () => {
    await mkdir(join(folder, 'taken', 'cube.0001.exr'), { recursive: true });
    for (const [output, why] of [
      ['cube.glb/cube.####.exr', 'a file is where a folder should be'],
      ['taken/cube.####.exr', 'a folder has this name'],
      ['/proc/cube.####.exr', 'cannot be written'],
    ]) {
      const { exitCode, stderr } = await farm('render', scene, '-o', output!, '--frames', '1', ...SMALL);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 5, stderr: expect.stringContaining(why!) });
      expect(stderr).toContain('NotWritable');
    }
    expect(await readdir(join(folder, 'taken'))).toEqual(['cube.0001.exr']);
  });

  it('renders sample ranges, which farm merge makes the very bytes of whole frames of', async () => {
    for (const range of ['0-0', '1-3']) {
      const args = ['render', scene, '-o', 'parts/cube.###.exr', '--frames', '2,5', '--sample-range', range, ...SMALL];
      expect(await farm(...args)).toMatchObject({ exitCode: 0 });
    }
    const parts = (await readdir(join(folder, 'parts'))).sort();
    expect(parts).toEqual([
      'cube.002.samples00000-00000.exr',
      'cube.002.samples00001-00003.exr',
      'cube.005.samples00000-00000.exr',
      'cube.005.samples00001-00003.exr',
    ]);
    const merge = (files: string[]) =>
      farm('merge', ...files.map((file) => join('parts', file)), '-o', 'merged/cube.###.exr', '--preview');
    expect(await merge(parts.slice(1))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('samples; 0 are'),
    });
    expect(await merge(parts)).toMatchObject({ exitCode: 0 });
    for (const name of ['cube.002.exr', 'cube.005.exr', 'cube.005.png']) {
      expect(await sha256(join(folder, 'merged', name))).toBe(await sha256(join(folder, 'out', name)));
    }
    expect(await readdir(join(folder, 'merged'))).toHaveLength(4);
  });

  it.each([
    [['cube.glb', '-o', 'still.exr'], 2, 'SettingInvalid'],
    [['cube.glb', '--sample-range', '0-1', '--adaptive', '0.01'], 2, 'adaptive'],
    [['cube.glb', '--sample-range', '3-1'], 2, 'SettingInvalid'],
    [['cube.glb', '--sample-range', '0-1', '-o', 'a.####.png'], 2, 'an EXR that holds sums'],
    [['cube.glb', '--camera', 'nobody'], 2, 'CameraUnknown'],
  ])('refuses %j before it renders', async (args, code, name) => {
    const { exitCode, stderr } = await farm('render', ...args);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: code, stderr: expect.stringContaining(name) });
  });
});
