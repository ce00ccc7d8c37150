import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { endProcesses, isRunning, processesWithVariable, startTimeOf } from './process-table.js';

/** A process that ignores polite requests when `stubborn`; it says when it is ready for signals. */
async function start(stubborn: boolean, env: Record<string, string> = {}) {
  const code = `${stubborn ? "process.on('SIGTERM', () => {});" : ''} console.log('up'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', code], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
  await once(child.stdout, 'data');
  return child;
}

it('knows a process by id and start time', async () => {
  const child = await start(false);
  const record = { pid: child.pid!, startTime: startTimeOf(child.pid!) };
  expect(isRunning(record)).toBe(true);
  expect(isRunning({ ...record, startTime: '1' })).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isRunning(record)).toBe(false);
});

it('ends the stubborn as well, and nobody whose id was used again', async () => {
  const [polite, stubborn, stranger] = await Promise.all([start(false), start(true), start(false)]);
  const record = (child: { pid?: number }) => ({ pid: child.pid!, startTime: startTimeOf(child.pid!) });
  const exits = Promise.all([once(polite, 'exit'), once(stubborn, 'exit')]);
  await endProcesses([record(polite), record(stubborn), { pid: stranger.pid!, startTime: 'of another process' }], 300);
  const [[, politeSignal], [, stubbornSignal]] = await exits;
  expect([politeSignal, stubbornSignal]).toEqual(['SIGTERM', 'SIGKILL']);
  expect(isRunning(record(stranger))).toBe(true);
  stranger.kill('SIGKILL');
});

it.runIf(process.platform === 'linux')('finds processes by a variable that they inherited', async () => {
  const mark = randomUUID();
  const child = await start(false, { FARM_TEST_MARK: mark });
  expect(processesWithVariable('FARM_TEST_MARK', mark).map(({ pid }) => pid)).toEqual([child.pid]);
  child.kill('SIGKILL');
});
