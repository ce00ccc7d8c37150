/** `npm test`: all the set-up, the build, and every test. Arguments go to vitest: `npm test -- domain`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.js';
import { report } from './errors.js';
import { prepare, repositoryRoot } from './prepare.js';

try {
  await prepare({ withPackages: (progress) => build({ progress }) });
  const vitest = join(repositoryRoot, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
    cwd: repositoryRoot,
    stdio: 'inherit',
  });
  // Ctrl-C reaches the child by itself, as it is in the same terminal; SIGTERM does not.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
} catch (error) {
  report(error);
}
