/** Delivery to a studio's disk: while frames render, after an interruption, and the invoice's documents beside them. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FarmClient } from '../../cli/sdk/client.ts';
import { type PullResult, pullJob } from '../../cli/sdk/pull.ts';
import type { FrameView, JobView } from '../../cli/sdk/types.ts';
import { allFrames, submitScene, untilFinal } from '../support/farm.ts';
import { writeCube } from '../support/scenes.ts';

const command = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'cli', 'bin', 'farm.js');
const { home } = inject('farm');
const client = new FarmClient(inject('farm'));

let folder: string;
let target: string;
let job: JobView;
let frames: FrameView[];
let first: PullResult;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-delivery-'));
  target = join(folder, 'frames');
  const scene = await writeCube(join(folder, 'delivered.glb'), { variant: 'delivery' });
  const accepted = await submitScene(client, scene, {
    frames: '1-6',
    width: 160,
    height: 90,
    samples: 16,
    awaitDelivery: true,
  });
  // Begun before there is a frame: it takes them as they are committed.
  first = await pullJob(client, accepted.id, { folder: target, wait: true });
  job = await untilFinal(client, accepted.id);
  frames = await allFrames(client, job.id);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pathOf = (frame: FrameView): string => join(target, frame.name);
const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

async function expectWhole(): Promise<void> {
  for (const frame of frames) expect(await hashOf(pathOf(frame)), frame.name).toBe(frame.exr?.hash);
  expect((await readdir(target)).filter((name) => name.endsWith('.part'))).toEqual([]);
}

/** Runs `farm …` as a person would. */
function farm(...args: string[]): Promise<{ exitCode: number; stdout: string }> {
  const env = { ...process.env, FARM_HOME: home, FARM_URL: '', FARM_KEY: '', NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { cwd: folder, env }, (error, stdout) =>
      resolve({ exitCode: error ? Number(error.code) : 0, stdout }),
    );
  });
}

describe('delivery', () => {
  it('fills the folder while the job runs', async () => {
    expect(first).toMatchObject({ frames: 6, manifest: expect.any(String), film: expect.any(String) });
    await expectWhole();
  });

  it('is acknowledged frame by frame, and the job has ended with the last of them', async () => {
    expect(job).toMatchObject({ status: 'completed', delivery: { status: 'delivered', delivered: 6, of: 6 } });
    for (const frame of frames) expect(frame.deliveredAt, frame.name).not.toBeNull();
    const { stdout } = await farm('job', job.id);
    expect(stdout).toContain('6 of 6 frames, all acknowledged');
    const wrong = client.acknowledge(job.id, [{ unitId: frames[0]!.unitId, hash: frames[1]!.exr!.hash }]);
    await expect(wrong).rejects.toMatchObject({ code: 'HashMismatch', status: 422 });
  });

  it('goes on where it was interrupted and mends what is wrong, and loads nothing else again', async () => {
    const [torn, half, wrong] = frames as [FrameView, FrameView, FrameView];
    // Torn by a full disk under its final name; half done under its temporary one; the right size with a wrong byte.
    await truncate(pathOf(torn), 100);
    const bytes = await readFile(pathOf(half));
    await rm(pathOf(half));
    await writeFile(`${pathOf(half)}.${half.exr!.hash.slice(0, 8)}.part`, bytes.subarray(0, 1000));
    const spoiled = await readFile(pathOf(wrong));
    spoiled[500] = spoiled[500]! ^ 1;
    await writeFile(pathOf(wrong), spoiled);
    const loaded: string[] = [];
    const onFile = (name: string, { skipped }: { skipped: boolean }): void => {
      if (!skipped) loaded.push(name);
    };
    const again = await pullJob(client, job.id, { folder: target, onFile });
    expect(loaded.sort()).toEqual([torn.name, half.name, wrong.name].sort());
    expect(again.downloaded).toBe(3);
    await expectWhole();
  });

  it('starts a half file over whose beginning is not the right one', async () => {
    const frame = frames[3]!;
    await rm(pathOf(frame));
    await writeFile(`${pathOf(frame)}.${frame.exr!.hash.slice(0, 8)}.part`, Buffer.alloc(1000, 7));
    await pullJob(client, job.id, { folder: target });
    await expectWhole();
  });

  it('has the bytes that the same flags give without a farm, and the paths behind a pixel', async () => {
    const frame = frames[1]!;
    const flags = ['--frames', '2', '--resolution', '160x90', '--samples', '16', '--tier', 'cpu'];
    const rendered = await farm('render', 'delivered.glb', '-o', 'local.####.exr', ...flags);
    expect(rendered.exitCode).toBe(0);
    expect(await hashOf(join(folder, 'local.0002.exr'))).toBe(frame.exr?.hash);
    const { exitCode, stdout } = await farm('repro', job.id, '2', '--pixel', '80,45', '--sample', '3', '--json');
    expect(exitCode).toBe(0);
    const replay = JSON.parse(stdout);
    expect(replay).toMatchObject({
      isEqual: true,
      addsUp: true,
      sampleCount: 16,
      frame: 2,
      paths: [{ x: 80, y: 45, sample: 3 }],
    });
    expect(replay.paths[0].steps.at(-1).end).not.toBeNull();
    const text = await farm('repro', job.id, '2', '--pixel', '80,45', '--sample', '0-15');
    expect(text.stdout).toMatch(/✓ the delivered bits\n.*✓ the samples add up/);
    expect(text.stdout.match(/^sample \d+ {2}adds/gm)).toHaveLength(16);
    const elsewhere = await farm('repro', job.id, '999', '--pixel', '80,45', '--json');
    expect(elsewhere.exitCode).toBe(5);
    expect(JSON.parse(elsewhere.stdout).error).toMatchObject({ code: 'NotFound', place: { frame: 999 } });
  });

  it.each([
    ['webp', 'webp'],
    ['tiff', 'tiff'],
    ['jpeg', 'jpg'],
  ] as const)('delivers pictures as %s, whether rendered or cached', async (picture, ext) => {
    const scene = join(folder, 'delivered.glb');
    const wishes = { frames: '1-2', width: 96, height: 54, samples: 4, output: { picture }, cache: true };
    for (const pass of ['rendered', 'cached']) {
      const accepted = await submitScene(client, scene, wishes);
      const to = join(folder, `${picture}-${pass}`);
      const pulled = await pullJob(client, accepted.id, { folder: to, wait: true, previews: true });
      expect((await untilFinal(client, accepted.id)).frames).toMatchObject({ cached: pass === 'cached' ? 2 : 0 });
      for (const frame of await allFrames(client, accepted.id)) {
        const path = join(to, frame.name.replace(/exr$/, ext));
        expect(await hashOf(path), frame.name).toBe(frame.picture?.hash);
        expect(await sharp(path).metadata()).toMatchObject({ format: picture, width: 96, height: 54 });
        const preview = await sharp(join(to, frame.name.replace(/exr$/, 'png'))).metadata();
        expect(preview).toMatchObject({ format: 'png', width: 96 });
      }
      const manifest = JSON.parse(await readFile(join(to, pulled.manifest!), 'utf8'));
      expect(manifest.frames[0].picture.path).toBe(pulled.exr[0]!.replace(/exr$/, ext));
    }
  });

  it('writes and checks the invoice from the command line', async () => {
    const pdf = join(folder, 'invoice.pdf');
    const csv = join(folder, 'invoice.csv');
    const { exitCode, stdout } = await farm('invoice', job.id, '--pdf', pdf, '--csv', csv, '--verify');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('verified');
    expect((await readFile(pdf)).subarray(0, 5).toString()).toBe('%PDF-');
    const lines = (await readFile(csv, 'utf8')).trim().split(/\r\n/);
    expect(lines.length).toBeGreaterThan(1);
  });

  it('shows the job, its frames and its log from the command line', async () => {
    for (const args of [
      ['jobs'],
      ['job', job.id],
      ['frames', job.id],
      ['why', job.id],
      ['nodes'],
      ['status'],
      ['doctor'],
    ]) {
      const { exitCode, stdout } = await farm(...args);
      expect(exitCode, args[0]).toBe(0);
      expect(stdout, args[0]).not.toBe('');
    }
    const { stdout } = await farm('logs', job.id);
    expect(stdout).toContain('unit.committed');
  });
});
