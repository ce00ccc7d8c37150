/** A benchmark of the farm: all the set-up, the build, then the program `dist/test/bench/NAME/main.js` in this same process. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.js';
import { report } from './errors.js';
import { prepare, repositoryRoot } from './prepare.js';

try {
  await prepare({ withPackages: (progress) => build({ progress }) });
  const [, , name] = process.argv;
  const main = join(repositoryRoot, 'dist', 'test', 'bench', name, 'main.js');
  process.argv.splice(1, 2, main);
  await import(pathToFileURL(main).href);
} catch (error) {
  report(error);
}
