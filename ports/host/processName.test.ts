import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hostName, isAlive, PROCESS_NAME } from './processName.ts';

it('knows who lives by its name', () => {
  expect(isAlive(`${PROCESS_NAME}.something`)).toBe(true);
  expect(isAlive(`${process.pid}.1`)).toBe(false);
  expect(isAlive('999999999.1')).toBe(false);
  expect(isAlive('none')).toBe(false);
  expect(hostName()).toMatch(/^[0-9a-f]{8}$/);
});

it.skipIf(process.platform !== 'linux')('takes who ended for dead, also while nobody has asked how', async () => {
  // The shell becomes a program that never asks for its child, which ends then: a shell might have asked.
  const child = 'until grep -q sleep /proc/$PPID/comm; do sleep 0.01; done';
  const parent = spawn('sh', ['-c', `sh -c '${child}' & echo $!; exec sleep 20`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = line.toString().trim();
    const state = () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    await expect.poll(() => state()[0]).toBe('Z');
    expect(isAlive(`${pid}.${state()[19]}`)).toBe(false);
  } finally {
    parent.kill();
  }
});
