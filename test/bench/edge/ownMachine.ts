/** One machine stands for all of the lab's: what the studio's and the farm's own machines do is not kept waiting by what the sites' do. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { run } from '../../../infra/netlab/commands.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';

const NICE = -10;

/**
 * Lets a process go before others where the processor is short, as the machines that it stands for are not busy with the work of
 * the sites'. Where the kernel shares processor time between sessions first (autogroup), its session goes before others.
 * @param pid 0: this one
 */
function goFirst(pid: number): void {
  os.setPriority(pid, NICE);
  const session = `/proc/${pid === 0 ? 'self' : pid}/autogroup`;
  if (hasSessions()) writeFileSync(session, String(NICE));
}

/** This process, from now on. */
export const startOwnMachine = (): void => goFirst(0);

/**
 * Everything in the studio's namespace: the farm's services, database, Temporal and home store, and what takes the studio's frames.
 * Database connections are processes and sessions of their own, so it is said again before each run.
 */
export async function startHomeMachines(lab: Lab): Promise<void> {
  const pids = (await run('ip', ['netns', 'pids', lab.studio.namespace])).split('\n').filter(Boolean).map(Number);
  for (const pid of pids) {
    // The benchmark itself starts the sites' programs, which would inherit it.
    if (pid === process.pid) continue;
    try {
      goFirst(pid);
    } catch (error) {
      // It has ended in the meantime: `ip` itself is among them.
      if (existsSync(`/proc/${pid}`)) throw error;
    }
  }
}

function hasSessions(): boolean {
  try {
    return readFileSync('/proc/self/autogroup', 'utf8') !== '';
  } catch {
    return false;
  }
}
