/** However the process that holds the services ends, none of them outlives it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { endOrphans } from '../../infra/stack/keeper.ts';
import { repositoryRoot } from '../../infra/stack/paths.ts';
import { isRunning, type ProcessRecord, processesWithVariable } from '../../infra/stack/process-table.js';

const folder = mkdtempSync(join(tmpdir(), 'framewright-outlive-'));
chmodSync(folder, 0o711);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Held {
  home: string;
  stackId: string;
  processes: ProcessRecord[];
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Four services in a process of their own. */
async function hold(name: string): Promise<Held> {
  const home = join(folder, name);
  const child = spawn(process.execPath, [join(repositoryRoot, 'test', 'stack', 'hold-stack.js'), home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { stackId } = JSON.parse(String(line));
  const { processes } = JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')) as {
    processes: ProcessRecord[];
  };
  expect(processes.filter(isRunning)).toHaveLength(4);
  return {
    home,
    stackId,
    processes,
    async end(signal) {
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    },
  };
}

const left = (held: Held) => [
  ...held.processes.filter(isRunning),
  ...processesWithVariable('FARM_STACK_ID', held.stackId),
];

async function untilNothingIsLeft(held: Held): Promise<void> {
  for (let waited = 0; left(held).length > 0; waited += 100) {
    if (waited > 60_000) expect(left(held)).toEqual([]);
    await sleep(100);
  }
}

it.each(['SIGKILL', 'SIGABRT', 'SIGTERM'] as const)('ends with its parent after %s', async (signal) => {
  const held = await hold(signal);
  await held.end(signal);
  await untilNothingIsLeft(held);
});

it.runIf(process.platform === 'linux')(
  'is swept by the next start when parent and watchdog are killed together',
  async () => {
    const held = await hold('together');
    const watchdog = await watchdogOf(held.stackId);
    // First the watchdog would be replaced; stopping the parent meanwhile keeps it from that.
    const parent = Number(readFileSync(`/proc/${watchdog}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]);
    process.kill(parent, 'SIGSTOP');
    process.kill(watchdog, 'SIGKILL');
    await held.end('SIGKILL');
    expect(held.processes.filter(isRunning)).toHaveLength(4);
    expect(await endOrphans(held.home)).toBeGreaterThanOrEqual(4);
    expect(left(held)).toEqual([]);
    expect(existsSync(join(held.home, 'processes.json'))).toBe(false);
  },
);

it.runIf(process.platform === 'linux')('gets a new watchdog when somebody ends the first', async () => {
  const held = await hold('replaced');
  const first = await watchdogOf(held.stackId);
  process.kill(first, 'SIGKILL');
  let second = first;
  while (second === first) second = await watchdogOf(held.stackId);
  await held.end('SIGKILL');
  await untilNothingIsLeft(held);
});

/** The watchdog carries the stack's id as its argument. */
async function watchdogOf(stackId: string): Promise<number> {
  const { readdirSync } = await import('node:fs');
  for (;;) {
    for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8');
        if (command.includes('watchdog-process.js') && command.includes(stackId)) return Number(entry);
      } catch {
        // gone meanwhile
      }
    }
    await sleep(50);
  }
}
