/** Where things lie on this machine: the checkout, its build output, the farm's home and the cache of fetched programs. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Absolute folder of the checkout (the folder of `package.json`), found upwards from this file, so that it is the same
 * whether the code runs from its sources (tests) or from `dist/`.
 */
export const repositoryRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Absolute folder of what `npm run build` makes. */
export const distFolder: string = join(repositoryRoot, 'dist');

/** Version of the farm, for manifests and `farm --version`. */
export function farmVersion(): string {
  return (JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string }).version;
}

/** The farm's state folder: `FARM_HOME`, else `.farm/` below the current folder. Always absolute. */
export function farmHome(variables: NodeJS.ProcessEnv = process.env): string {
  return resolve(variables.FARM_HOME || '.farm');
}

/** Where fetched programs are kept: `FARM_CACHE`, else `framewright` in the user's cache folder. */
export function cacheFolder(variables: NodeJS.ProcessEnv = process.env): string {
  if (variables.FARM_CACHE) return resolve(variables.FARM_CACHE);
  return join(variables.XDG_CACHE_HOME || join(homedir(), '.cache'), 'framewright');
}

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'framewright') return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json of framewright above ${from}`);
  }
}
