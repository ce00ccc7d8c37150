/** `farm status` as a script asks it: the exit code says whether the farm can be used. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDoor } from '../../infra/stack/control-socket.ts';
import { Farm } from '../../infra/stack/farm.ts';
import { farmIn } from '../support/command.ts';

let folder: string;
let door: Server | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-status-'));
});
afterEach(async () => {
  door?.close();
  await rm(folder, { recursive: true, force: true });
});

it('ends with 6 while the farm is still starting, and shows no address that is not there yet', async () => {
  const home = join(folder, 'no-farm');
  await mkdir(home);
  const farm = new Farm({ home, variables: {}, nodes: 0, volatile: true, onProgress() {}, log() {} });
  door = await openDoor(home, async () => farm.status());
  const { exitCode, stdout } = await farmIn(folder)('status');
  expect(stdout).toContain('Farm starting in');
  expect(stdout).not.toContain('page');
  expect(exitCode).toBe(6);
  const json = await farmIn(folder)('status', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ phase: 'starting', url: '' });
  expect(json.exitCode).toBe(6);
});

it('ends with 6 and says so when no farm runs', async () => {
  const { exitCode, stderr } = await farmIn(folder)('status');
  expect(stderr).toContain('StackNotRunning');
  expect(exitCode).toBe(6);
});
