#!/usr/bin/env node
/** The `farm` command. Builds what is missing or outdated when it runs from a checkout, then hands over. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const main = join(root, 'dist', 'cli', 'main.js');
if (!existsSync(main)) {
  const { prepare } = await import(pathToFileURL(join(root, 'infra', 'bootstrap', 'prepare.js')).href);
  const { build } = await import(pathToFileURL(join(root, 'infra', 'bootstrap', 'build.js')).href);
  await prepare({ withPackages: (progress) => build({ progress }) });
}
await import(pathToFileURL(main).href);
