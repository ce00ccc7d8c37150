#!/usr/bin/env node
/** The `farm` command. Builds what is missing when it runs from a checkout, says when that is of older sources, then hands over. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const main = join(root, 'dist', 'cli', 'main.js');
const bootstrap = (file) => import(pathToFileURL(join(root, 'infra', 'bootstrap', file)).href);
if (!existsSync(main)) {
  const { prepare } = await bootstrap('prepare.js');
  const { build } = await bootstrap('build.js');
  await prepare({ withPackages: (progress) => build({ progress }) });
} else if (existsSync(join(root, 'infra', 'bootstrap', 'build.js'))) {
  // Not built by itself: a farm that runs from this checkout would find half of its programs changed.
  const { isCodeCurrent } = await bootstrap('build.js');
  if (!isCodeCurrent()) process.stderr.write('! The sources have changed since the last build: run "npm run build".\n');
}
await import(pathToFileURL(main).href);
