/**
 * A lab's watchdog: a process of its own that outlives the lab's owner by a moment and removes the lab, however the owner
 * ended: its standard input, which only the owner holds open, closes then.
 *
 *     node watchdog-process.js PREFIX
 */
import { removeLab } from './namespaces.js';

// Ctrl-C and SIGTERM meant for the owner's group must not take the watchdog along.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

process.stdin.on('data', () => {});
process.stdin.on('close', async () => {
  await removeLab(process.argv[2]);
  process.exit(0);
});
