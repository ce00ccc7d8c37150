/**
 * The watchdog: a process of its own that outlives the stack's parent by a moment and ends what the parent started.
 *
 * It reads lines of JSON from its standard input, which only the parent holds open: `{add: ProcessRecord}`,
 * `{remove: pid}`, `{dismiss: true}`. When the input ends without a dismissal, the parent is gone, whatever the reason:
 * everything registered, and on Linux everything that carries the stack's id in its environment, is ended.
 *
 *     node watchdog-process.js STACK_ID
 */
import { createInterface } from 'node:readline';
import { endProcesses, processesWithVariable } from './process-table.js';

/** Long enough for PostgreSQL and the chain to write what they hold. */
const GRACE_MS = 4000;

const stackId = process.argv[2] ?? '';
const registered = new Map();
let dismissed = false;

// Ctrl-C and SIGTERM meant for the parent's group must not take the watchdog along.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const message = JSON.parse(line);
  if (message.add) registered.set(message.add.pid, message.add);
  if (message.remove) registered.delete(message.remove);
  if (message.dismiss) dismissed = true;
});
lines.on('close', async () => {
  if (!dismissed) {
    const tagged = () => processesWithVariable('FARM_STACK_ID', stackId);
    const known = [...registered.values()];
    const pids = new Set(known.map(({ pid }) => pid));
    await endProcesses([...known, ...tagged().filter(({ pid }) => !pids.has(pid))], GRACE_MS);
    await endProcesses(tagged(), 0);
  }
  process.exit(0);
});
