/** `farm submit` as a person runs it: what is refused before there is a farm to ask. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { farmIn } from '../support/command.ts';
import { writeCube } from '../support/scenes.ts';

let folder: string;
let scene: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-submit-'));
  scene = await writeCube(join(folder, 'cube.glb'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('farm submit', () => {
  it.each([
    ['to', 'frames'],
    ['to', 's3://bucket/prefix'],
    ['to-endpoint', 'http://127.0.0.1:9000'],
  ])('refuses --%s without --wait before anything is sent', async (flag, value) => {
    const { exitCode, stderr } = await farmIn(folder)('submit', scene, `--${flag}`, value);
    expect(stderr).toMatch(new RegExp(`SettingInvalid.*--${flag} .*without --wait`));
    expect(stderr).toContain('farm pull JOB --to');
    expect(exitCode).toBe(2);
  });

  it('takes --to with --wait as far as the farm that is not there', async () => {
    const { exitCode, stderr } = await farmIn(folder)('submit', scene, '--to', 'frames', '--wait');
    expect(stderr).toContain('StackNotRunning');
    expect(exitCode).toBe(6);
  });

  it('refuses a folder that cannot be written before anything is sent', async () => {
    const { exitCode, stderr } = await farmIn(folder)('submit', scene, '--to', 'cube.glb/frames', '--wait');
    expect(stderr).toMatch(/NotWritable.*cube\.glb\/frames" cannot be written: a file is where a folder should be/);
    expect(exitCode).toBe(5);
  });
});
