/** Bad input: one clear error with its own code, and nothing left behind in store, database or chain. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NodeIO } from '@gltf-transform/core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type FarmRecord, farmRecord } from '../support/record.ts';
import { cubeScene, writeCube } from '../support/scenes.ts';

const command = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'cli', 'bin', 'farm.js');
const { home } = inject('farm');
let folder: string;
let record: FarmRecord;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-bad-'));
  record = await farmRecord(home);
});
afterAll(async () => {
  await record?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Outcome {
  exitCode: number;
  code: string | undefined;
  message: string;
  remedy: string;
}

/** Runs `farm … --json` as a script would. */
function farm(args: string[], farmHome = home): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [command, ...args, '--json'],
      { env: { ...process.env, FARM_HOME: farmHome, FARM_URL: '', FARM_KEY: '' }, cwd: folder },
      (error, stdout) => {
        const answer = (stdout.trim() === '' ? {} : JSON.parse(stdout)) as {
          error?: { code: string; message: string; remedy: string };
        };
        resolve({
          exitCode: error ? Number(error.code) : 0,
          code: answer.error?.code,
          message: answer.error?.message ?? '',
          remedy: answer.error?.remedy ?? '',
        });
      },
    );
  });
}

/** Files that scenes are made of, by a function that writes them and returns the path to submit. */
const scenes: Record<string, () => Promise<string>> = {
  good: () => writeCube(join(folder, 'good.glb'), { variant: 'bad-input' }),
  missing: async () => join(folder, 'nowhere.glb'),
  empty: async () => {
    await writeFile(join(folder, 'empty.glb'), '');
    return join(folder, 'empty.glb');
  },
  truncated: async () => {
    const whole = await readFile(await writeCube(join(folder, 'whole.glb'), { variant: 'truncated' }));
    await writeFile(join(folder, 'truncated.glb'), whole.subarray(0, Math.floor(whole.length * 0.7)));
    return join(folder, 'truncated.glb');
  },
  bufferGone: () => writeGltf('buffer-gone', (files) => files.filter((name) => !name.endsWith('.bin'))),
  textureGone: () => writeGltf('texture-gone', (files) => files.filter((name) => !name.endsWith('.png'))),
  nan: async () => {
    const document = await cubeScene();
    const bytes = await new NodeIO().writeJSON(document);
    const nodes = bytes.json.nodes ?? [];
    nodes[0] = { ...nodes[0], matrix: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
    delete nodes[0].rotation;
    const buffer = Object.values(bytes.resources)[0]!;
    const uri = `data:application/octet-stream;base64,${Buffer.from(buffer).toString('base64')}`;
    bytes.json.buffers![0]!.uri = uri;
    // JSON has no NaN; 1e999 is how exporters write what becomes infinite when read.
    const text = JSON.stringify(bytes.json).replace('"matrix":[1,', '"matrix":[1e999,');
    const path = join(folder, 'nan.gltf');
    await writeFile(path, text);
    return path;
  },
};

async function writeGltf(name: string, keep: (files: string[]) => string[]): Promise<string> {
  const document = await cubeScene();
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  const texture = document.createTexture('wood').setImage(png).setMimeType('image/png').setURI('wood.png');
  document.getRoot().listMaterials()[0]!.setBaseColorTexture(texture);
  const { json, resources } = await new NodeIO().writeJSON(document);
  const target = join(folder, name);
  await mkdir(target, { recursive: true });
  for (const file of keep(Object.keys(resources))) await writeFile(join(target, file), resources[file]!);
  await writeFile(join(target, `${name}.gltf`), JSON.stringify(json));
  return join(target, `${name}.gltf`);
}

const SMALL = ['--resolution', '32x18', '--samples', '2'];

describe('bad input', () => {
  it.each<[string, keyof typeof scenes, string[], string, number]>([
    ['no such file', 'missing', [], 'FileNotFound', 3],
    ['an empty file', 'empty', [], 'FileEmpty', 3],
    ['a truncated .glb', 'truncated', [], 'SceneInvalid', 3],
    ['a .gltf whose buffer is missing', 'bufferGone', [], 'AssetMissing', 3],
    ['a .gltf whose texture is missing', 'textureGone', [], 'AssetMissing', 3],
    ['a matrix that is not finite', 'nan', [], 'SceneInvalid', 3],
    ['unknown frame syntax', 'good', ['--frames', '1..5'], 'FrameRangeInvalid', 2],
    ['an empty range', 'good', ['--frames', ''], 'FrameRangeInvalid', 2],
    ['a reversed range', 'good', ['--frames', '9-1'], 'FrameRangeInvalid', 2],
    ['a million frames with a small cap', 'good', ['--frames', '1-1000000', '--cap', '1'], 'FrameRangeTooLarge', 2],
    ['an unknown camera', 'good', ['--camera', 'top'], 'CameraUnknown', 2],
    ['zero resolution', 'good', ['--resolution', '0x10'], 'ResolutionInvalid', 2],
    ['absurd resolution', 'good', ['--resolution', '99999x99999'], 'ResolutionInvalid', 2],
    ['a bad name template', 'good', ['--out', '{shot}.{ext}'], 'TemplateInvalid', 2],
    ['a template that leaves the folder', 'good', ['--out', '../{frame}.{ext}'], 'TemplateInvalid', 2],
    ['a cap below one frame', 'good', ['--cap', '0.000000000000000001'], 'CapTooSmall', 4],
  ])('%s', async (_name, scene, flags, code, exitCode) => {
    const path = await scenes[scene]!();
    const before = await record.snapshot();
    const outcome = await farm(['submit', path, ...SMALL, '--yes', ...flags]);
    expect(outcome).toMatchObject({ code, exitCode });
    expect(outcome.message).not.toBe('');
    expect(outcome.remedy).not.toBe('');
    expect(await record.snapshot()).toEqual(before);
  });

  it('an unknown job', async () => {
    for (const args of [['job'], ['pull'], ['cancel'], ['invoice'], ['why']]) {
      const outcome = await farm([...args, '01890000-0000-7000-8000-000000000000']);
      expect(outcome).toMatchObject({ code: 'JobNotFound', exitCode: 5 });
    }
  });

  it('a farm that is not running', async () => {
    const outcome = await farm(['jobs'], join(folder, 'no-home'));
    expect(outcome).toMatchObject({ code: 'StackNotRunning', exitCode: 6 });
  });

  it('a scene that is sent to the API without the client keeps nothing either', async () => {
    const before = await record.snapshot();
    const { url, key } = inject('farm');
    const send = (body: unknown): Promise<Response> =>
      fetch(`${url}/v1/jobs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const file = { path: 'a.glb', sizeBytes: 10, hash: 'a'.repeat(64) };
    const refused = await Promise.all([
      send({ name: 'x', main: 'a.glb', files: [{ ...file, path: '../a.glb' }] }),
      send({ name: 'x', main: 'b.glb', files: [file] }),
      send({ name: 'x', main: 'a.glb', files: [{ ...file, sizeBytes: 0 }] }),
      send({ name: 'x', main: 'a.glb', files: [{ ...file, hash: 'zz' }] }),
      send({ name: 'x', main: 'a.glb', files: [file], frames: '5-1' }),
      send('not an object'),
    ]);
    for (const response of refused) {
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      const problem = (await response.json()) as Record<string, unknown>;
      expect(problem).toMatchObject({ code: expect.any(String), remedy: expect.any(String), status: response.status });
    }
    expect(await record.snapshot()).toEqual(before);
  });
});
