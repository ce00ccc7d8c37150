/** What each program of the lab has used of the processor so far. */
import { readFile } from 'node:fs/promises';
import { run } from '../../../infra/netlab/commands.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';
import { PROGRAMS, type Program } from './edgeReport.ts';

/** Ticks of a core's time: USER_HZ, which Linux fixes for `/proc`. */
const TICKS_A_SECOND = 100;

/** A moment's account: ticks by process id. */
export type ProgramMark = Map<number, { program: Program; ticks: number }>;

/** By what stands in a process's command line; the farm's own store is told from the sites' by where it runs. */
const WORDS: readonly [string, Program][] = [
  ['workers/node/main', 'node'],
  ['workers/site/main', 'agent'],
  ['workers/dispatch/main', 'dispatch'],
  ['workers/control/main', 'control'],
  ['workers/settle/main', 'settle'],
  ['farm-ui/api/main', 'api'],
  ['bench/edge/inside', 'studio'],
  ['bench/edge/pullProgram', 'studio'],
  ['postgres', 'database'],
  ['temporal', 'temporal'],
];

/** Which program a process is. @param isStudio it runs in the studio's namespace */
export function programOf(commandLine: string, isStudio: boolean): Program {
  if (/minio\0?server|minio server/.test(commandLine)) return isStudio ? 'home' : 'store';
  return WORDS.find(([words]) => commandLine.includes(words))?.[1] ?? 'other';
}

export async function markPrograms(lab: Lab): Promise<ProgramMark> {
  const mark: ProgramMark = new Map();
  const lists = await Promise.all(
    [lab.studio, ...lab.places].map(async ({ namespace }) => ({
      isStudio: namespace === lab.studio.namespace,
      pids: (await run('ip', ['netns', 'pids', namespace])).split('\n').filter(Boolean).map(Number),
    })),
  );
  for (const { isStudio, pids } of lists) {
    for (const pid of pids) {
      const [stat, commandLine] = await Promise.all(
        ['stat', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
      if (fields.length < 14) continue;
      mark.set(pid, { program: programOf(commandLine!, isStudio), ticks: Number(fields[11]) + Number(fields[12]) });
    }
  }
  return mark;
}

/** Core seconds by program between two marks. Processes that ended in between are left out. */
export function programsBetween(from: ProgramMark, to: ProgramMark): Record<Program, number> {
  const seconds = Object.fromEntries(PROGRAMS.map((program) => [program, 0])) as Record<Program, number>;
  for (const [pid, { program, ticks }] of to) {
    seconds[program] += (ticks - (from.get(pid)?.ticks ?? 0)) / TICKS_A_SECOND;
  }
  return seconds;
}
