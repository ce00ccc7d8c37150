/**
 * Keeps account of every process of a stack, so that none outlives it: the watchdog hears of each, and a file in the
 * farm's home names them for the next start, should stack and watchdog die together.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endProcesses, isRunning, type ProcessRecord, processesWithVariable, startTimeOf } from './process-table.js';

/** Account of one stack's processes. */
export interface Keeper {
  /** Every process of the stack carries it as `FARM_STACK_ID` in its environment. */
  readonly stackId: string;
  /** Must be called in the same tick as the spawn. `signal` ends the process politely. */
  register(pid: number, signal?: NodeJS.Signals): ProcessRecord;
  forget(pid: number): void;
  /** After everything was stopped: the watchdog goes too. */
  dismiss(): Promise<void>;
}

const fileName = 'processes.json';

/**
 * Starts the watchdog and the account.
 * @param home absolute folder of the farm's state; it exists
 */
export function createKeeper(home: string): Keeper {
  const stackId = randomUUID();
  const records = new Map<number, ProcessRecord>();
  let dismissed = false;
  let watchdog = hire();

  function hire(): ChildProcess {
    const { FARM_STACK_ID: _, ...env } = process.env;
    const program = join(dirname(fileURLToPath(import.meta.url)), 'watchdog-process.js');
    const child = spawn(process.execPath, [program, stackId], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env,
    });
    child.unref();
    child.stdin?.on('error', () => {});
    // Somebody ended the watchdog: the stack must not go on unwatched.
    child.once('exit', () => {
      if (dismissed) return;
      watchdog = hire();
      for (const record of records.values()) tell({ add: record });
    });
    return child;
  }

  function tell(message: object): void {
    watchdog.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  function save(): void {
    const path = join(home, fileName);
    writeFileSync(`${path}.new`, JSON.stringify({ stackId, processes: [...records.values()] }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  return {
    stackId,
    register(pid, signal) {
      const record: ProcessRecord = { pid, startTime: startTimeOf(pid), signal };
      records.set(pid, record);
      tell({ add: record });
      save();
      return record;
    },
    forget(pid) {
      if (!records.delete(pid)) return;
      tell({ remove: pid });
      save();
    },
    async dismiss() {
      dismissed = true;
      rmSync(join(home, fileName), { force: true });
      const gone = new Promise((resolve) => watchdog.once('exit', resolve));
      watchdog.ref();
      tell({ dismiss: true });
      watchdog.stdin?.end();
      await gone;
    },
  };
}

/** Ends what an earlier stack of this home left behind: only possible when its watchdog was ended with it. */
export async function endOrphans(home: string): Promise<number> {
  let left: { stackId: string; processes: ProcessRecord[] };
  try {
    left = JSON.parse(readFileSync(join(home, fileName), 'utf8'));
  } catch {
    return 0;
  }
  const orphans = [...left.processes.filter(isRunning), ...processesWithVariable('FARM_STACK_ID', left.stackId)];
  await endProcesses(orphans, 3000);
  rmSync(join(home, fileName), { force: true });
  return orphans.length;
}
