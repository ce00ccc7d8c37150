/**
 * `npm start`: all the set-up, the build, then the `farm` command's demonstration in this same process: it starts the farm
 * (or finds the running one) and takes the demo shot through all six stages.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.js';
import { report } from './errors.js';
import { prepare, repositoryRoot } from './prepare.js';

try {
  const startedAt = Date.now();
  await prepare({ withPackages: (progress) => build({ progress }) });
  // The demonstration reports how long the set-up took.
  process.env.FARM_SETUP_SECONDS = String((Date.now() - startedAt) / 1000);
  const main = join(repositoryRoot, 'dist', 'cli', 'main.js');
  process.argv.splice(1, process.argv.length - 1, main, 'demo', ...process.argv.slice(2));
  await import(pathToFileURL(main).href);
} catch (error) {
  report(error);
}
