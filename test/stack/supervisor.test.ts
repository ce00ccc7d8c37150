/** The supervisor keeps a farm running, and ends all of it with the process that started it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { down, killProcess, reset, startOneProcess, status, up } from '../../infra/stack/commands.ts';
import { doctor } from '../../infra/stack/doctor.ts';
import type { FarmStatus } from '../../infra/stack/farm.ts';
import { repositoryRoot } from '../../infra/stack/paths.ts';
import { processesWithVariable, startTimeOf } from '../../infra/stack/process-table.js';

const folder = mkdtempSync(join(tmpdir(), 'framewright-supervisor-'));
chmodSync(folder, 0o711);
const home = join(folder, 'home');
afterAll(async () => {
  await down({ home });
  rmSync(folder, { recursive: true, force: true });
});

/** A farm held by a process of its own. */
async function hold(): Promise<{ holder: ChildProcess; farm: FarmStatus; stackId: string }> {
  const holder = spawn(process.execPath, [join(repositoryRoot, 'test', 'stack', 'hold-farm.js'), home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: holder.stdout! }), 'line');
  const { stackId } = JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')) as { stackId: string };
  return { holder, farm: JSON.parse(String(line)) as FarmStatus, stackId };
}

const pidsOf = (farm: FarmStatus): number[] =>
  [farm.pid, ...farm.services.map(({ pid }) => pid), ...farm.processes.map(({ pid }) => pid)].filter(
    (pid) => pid !== undefined,
  );

async function untilGone(pids: number[], stackId: string): Promise<void> {
  const left = () => [
    ...pids.filter((pid) => startTimeOf(pid) !== undefined),
    ...processesWithVariable('FARM_STACK_ID', stackId).map(({ pid }) => pid),
  ];
  for (let waited = 0; left().length > 0; waited += 100) {
    if (waited > 90_000) expect(left()).toEqual([]);
    await sleep(100);
  }
}

async function untilProcess(name: string, wanted: (process: FarmStatus['processes'][number]) => boolean) {
  for (let waited = 0; ; waited += 100) {
    const found = (await status({ home })).processes.find((process) => process.name === name)!;
    if (wanted(found)) return found;
    if (waited > 90_000) throw new Error(`${name} did not get there: ${JSON.stringify(found)}`);
    await sleep(100);
  }
}

it('tells that no farm runs', async () => {
  await expect(status({ home })).rejects.toMatchObject({ code: 'StackNotRunning' });
  expect(await down({ home })).toEqual({ stopped: false });
  const report = await doctor({ home });
  expect(report.checks.find(({ name }) => name === 'farm')).toMatchObject({
    ok: false,
    remedy: expect.stringContaining('farm up'),
  });
});

it('keeps the farm running, is found by the next start, and ends with the process that started it', async () => {
  const { holder, farm, stackId } = await hold();
  expect(farm.processes.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'api running',
    'control running',
    'dispatch running',
    'settle running',
    'node-1 running',
  ]);

  const second = await up({ home });
  expect([second.started, second.status.pid]).toEqual([false, farm.pid]);

  // What dies by itself is started again, with the reason on record.
  const control = farm.processes.find(({ name }) => name === 'control')!;
  process.kill(control.pid!, 'SIGKILL');
  const restarted = await untilProcess('control', ({ state, restarts }) => state === 'running' && restarts === 1);
  expect(restarted.pid).not.toBe(control.pid);
  expect(restarted.lastExit).toContain('SIGKILL');

  // What somebody ended stays down until somebody starts it.
  await killProcess('node-1', { home });
  expect((await untilProcess('node-1', ({ state }) => state === 'down')).pid).toBeUndefined();
  await startOneProcess('node-1', { home });
  await untilProcess('node-1', ({ state, pid }) => state === 'running' && pid !== undefined);
  await expect(killProcess('node-9', { home })).rejects.toMatchObject({ code: 'NotFound' });

  const report = await doctor({ home });
  expect(report.checks.filter(({ name, ok }) => !ok && !name.startsWith('disk'))).toEqual([]);

  const now = await status({ home });
  holder.kill('SIGKILL');
  await untilGone(pidsOf(now), stackId);
});

it('ends with kill -9 of the supervisor itself, keeps its state, and is removed by reset', async () => {
  const key = readFileSync(join(home, 'client.json'), 'utf8');
  const { holder, farm, stackId } = await hold();
  expect(JSON.parse(readFileSync(join(home, 'client.json'), 'utf8')).key).toBe(JSON.parse(key).key);
  process.kill(farm.pid, 'SIGKILL');
  await untilGone(pidsOf(farm), stackId);
  holder.kill('SIGKILL');

  await expect(status({ home })).rejects.toMatchObject({ code: 'StackNotRunning' });
  expect((await reset({ home })).removed[0]).toBe(home);
  expect(existsSync(home)).toBe(false);
  await expect(reset({ home: repositoryRoot })).rejects.toMatchObject({ code: 'FileNotFound' });
});
