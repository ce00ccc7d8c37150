/**
 * The names of a lab's namespaces and their removal. Plain JavaScript, as the watchdog runs from the sources too.
 *
 * A name says whose it is: `fwlab.PID.START.N.PLACE`, where PID and START are the owner's process id and start time. So
 * what a killed owner left behind can be told from what a living one uses.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, startTimeOf } from '../stack/process-table.js';

const NAME = /^(fwlab\.(\d+)\.(\d+)\.\d+)\..+$/;
let labs = 0;

/** @returns {string} the beginning of the names of a new lab of this process; no other lab has it */
export function newLabPrefix() {
  labs += 1;
  return `fwlab.${process.pid}.${startTimeOf(process.pid)}.${labs}`;
}

/** @returns {string[]} names of all namespaces of labs on this machine */
function labNamespaces() {
  const list = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  // A line is `NAME` or `NAME (id: 3)`.
  return list
    .split('\n')
    .map((line) => line.split(' ')[0])
    .filter((name) => NAME.test(name));
}

/** Ends what runs in a namespace, for good, and removes it; its links go with it. */
async function removeNamespace(name) {
  for (let round = 0; round < 50; round += 1) {
    const pids = processesIn(name);
    if (pids.length === 0) break;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended by itself.
      }
    }
    await sleep(20);
  }
  try {
    execFileSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
  } catch (error) {
    // Somebody else removed it meanwhile.
    if (labNamespaces().includes(name)) throw error;
  }
}

/** @returns {number[]} */
function processesIn(name) {
  try {
    const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return pids
      .split('\n')
      .filter(Boolean)
      .map(Number)
      .filter((pid) => pid !== process.pid);
  } catch {
    return [];
  }
}

/** Removes one lab with all that runs in it. @param {string} prefix as `newLabPrefix` gave it */
export async function removeLab(prefix) {
  const own = labNamespaces().filter((name) => NAME.exec(name)[1] === prefix);
  await Promise.all(own.map(removeNamespace));
}

/** Removes the labs of owners that are gone. @returns {Promise<number>} how many namespaces there were */
export async function removeStaleLabs() {
  const stale = labNamespaces().filter((name) => {
    const [, , pid, startTime] = NAME.exec(name);
    return !isRunning({ pid: Number(pid), startTime });
  });
  await Promise.all(stale.map(removeNamespace));
  return stale.length;
}
