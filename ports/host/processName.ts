/**
 * Names of processes and hosts, for files that say who made them: what a process left that was killed is known for the
 * dead's, and nothing has to expire.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';

/** Process id and, where the system says it, when the process began: ids are used again. Digits with a dot between. */
export const PROCESS_NAME = `${process.pid}.${startOf(process.pid)}`;

/** Whether the process behind a name that begins with its `PROCESS_NAME` still runs. Only for names of this host. */
export function isAlive(name: string): boolean {
  const [pid = '', start] = name.split('.');
  if (!/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startOf(Number(pid)) === start;
}

/** Fields 22 and 3 of `/proc/PID/stat`; `0` where there is no such file, `ended` of who only waits for its parent to look. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '0');
  } catch {
    return '0';
  }
}

let host: string | undefined;

/**
 * Eight hexadecimal digits for this host since it was started, as far as processes see each other here: two that have the same
 * can tell with `isAlive` whether the other still runs. A container has its own, as it has its own process ids.
 */
export function hostName(): string {
  host ??= createHash('sha256')
    .update(readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')) ?? cards())
    .update(readOr(() => readlinkSync('/proc/self/ns/pid')) ?? '')
    .digest('hex')
    .slice(0, 8);
  return host;
}

/** Where no boot has an id: the host's name, which others may have, too, and its network cards. */
const cards = (): string =>
  JSON.stringify([
    hostname(),
    ...new Set(
      Object.values(networkInterfaces())
        .flat()
        .map((card) => card?.mac),
    ),
  ]);

function readOr(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
