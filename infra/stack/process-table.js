/**
 * What the operating system knows about processes. Plain JavaScript, as the watchdog runs from the sources too.
 *
 * A process is known by its id *and* its start time: ids are used again, and nobody else's process may be ended.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * When a process started, in the system's own notation, or undefined if there is none (a zombie counts as gone).
 * @param {number} pid
 * @returns {string | undefined}
 */
export function startTimeOf(pid) {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in brackets may hold spaces and brackets; field 3 (state) follows the last one. Start time is field 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  try {
    const [state = '', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return state.startsWith('Z') ? undefined : start.join(' ') || undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {{pid: number, startTime: string | undefined}} record
 * @returns {boolean} whether this very process still lives
 */
export function isRunning(record) {
  return record.startTime !== undefined && startTimeOf(record.pid) === record.startTime;
}

/**
 * Processes that carry `name=value` in their environment, children of children included. Linux only; elsewhere none, and
 * the registered ids have to do.
 * @param {string} name
 * @param {string} value
 * @returns {{pid: number, startTime: string}[]}
 */
export function processesWithVariable(name, value) {
  if (process.platform !== 'linux') return [];
  const wanted = `${name}=${value}`;
  const found = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(wanted)) continue;
    } catch {
      continue;
    }
    const startTime = startTimeOf(pid);
    if (startTime !== undefined) found.push({ pid, startTime });
  }
  return found;
}

/**
 * Sends a signal to a process and, if it leads one, to its group.
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
export function signalGroup(pid, signal) {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // not a group leader, or gone
    }
  }
}

/**
 * Ends processes: first politely (each with its own signal), after `graceMs` for good.
 * @param {{pid: number, startTime: string | undefined, signal?: NodeJS.Signals}[]} records
 * @param {number} graceMs
 */
export async function endProcesses(records, graceMs) {
  let left = records.filter(isRunning);
  for (const { pid, signal } of left) signalGroup(pid, signal ?? 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    left = left.filter(isRunning);
  }
  for (const { pid } of left) signalGroup(pid, 'SIGKILL');
}
