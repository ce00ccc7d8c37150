/** What the machine did during a run, and what it can do at all. */
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { run } from '../../../infra/netlab/commands.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';

/** Ticks of a core's time: USER_HZ, which Linux fixes for `/proc`. */
const TICKS_A_SECOND = 100;

/** A moment's account of processor time, in ticks. */
interface CpuMark {
  /** By process id, of processes in the lab. */
  processes: Map<number, number>;
  busy: number;
  total: number;
}

/** Processor time of the lab's processes so far, and of the whole machine. */
export async function markCpu(lab: Lab): Promise<CpuMark> {
  const lists = await Promise.all(
    [lab.studio, ...lab.places].map(({ namespace }) => run('ip', ['netns', 'pids', namespace])),
  );
  const processes = new Map<number, number>();
  for (const pid of lists.flatMap((list) => list.split('\n').filter(Boolean).map(Number))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields.length > 13) processes.set(pid, Number(fields[11]) + Number(fields[12]));
  }
  const [, ...times] = (await readFile('/proc/stat', 'utf8')).split('\n')[0]!.split(/\s+/).map(Number);
  const total = times.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  return { processes, total, busy: total - times[3]! - times[4]! };
}

/** What happened between two marks. Processes that ended in between are left out. */
export function cpuBetween(from: CpuMark, to: CpuMark): { coreSeconds: number; cores: number; busyShare: number } {
  let ticks = 0;
  for (const [pid, used] of to.processes) ticks += used - (from.processes.get(pid) ?? 0);
  return {
    coreSeconds: ticks / TICKS_A_SECOND,
    cores: os.availableParallelism(),
    busyShare: (to.busy - from.busy) / Math.max(1, to.total - from.total),
  };
}

/** Megabytes a second that a file is written (to the disk) and read back (as the runs do, soon after). */
export async function measureDisk(folder: string): Promise<{ writeMBs: number; readMBs: number }> {
  const inside = await mkdtemp(join(folder, 'disk-'));
  try {
    const block = Buffer.alloc(8 << 20, 0xa5);
    const blocks = 24;
    const file = await open(join(inside, 'file'), 'w+');
    const began = performance.now();
    for (let index = 0; index < blocks; index += 1) await file.write(block, 0, block.length, index * block.length);
    await file.sync();
    const written = performance.now();
    for (let index = 0; index < blocks; index += 1) await file.read(block, 0, block.length, index * block.length);
    const read = performance.now();
    await file.close();
    const megabytes = (blocks * block.length) / 1e6;
    return { writeMBs: megabytes / ((written - began) / 1000), readMBs: megabytes / ((read - written) / 1000) };
  } finally {
    await rm(inside, { recursive: true, force: true });
  }
}
