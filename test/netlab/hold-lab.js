/** Holds a lab with a process in it until somebody ends this one; prints one line of JSON when it stands. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const { Lab } = await import('../../dist/infra/netlab/lab.js');
const lab = await Lab.build(['site-1']);
const { command, args } = lab.inside('site-1', 'sleep', ['600']);
// Nothing ties it to this process but the lab.
const child = spawn(command, args, { detached: true, stdio: 'ignore' });
await once(child, 'spawn');
process.stdout.write(
  `${JSON.stringify({ namespaces: [lab.studio, ...lab.places].map(({ namespace }) => namespace) })}\n`,
);
setInterval(() => {}, 1000);
