/** Finds the program of a service: named in the environment, on PATH, or in our cache, in this order. */
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { MINIO, TEMPORAL } from './versions.js';

/** Folder of fetched programs: `FARM_CACHE`, else `framewright` in the user's cache folder. */
export function cacheFolder(variables = process.env) {
  if (variables.FARM_CACHE) return resolve(variables.FARM_CACHE);
  return join(variables.XDG_CACHE_HOME || join(homedir(), '.cache'), 'framewright');
}

/** The services whose program npm does not hold. */
export const PROGRAMS = {
  temporal: { variable: 'FARM_TEMPORAL_BIN', address: 'FARM_TEMPORAL_ADDRESS', folder: `temporal-${TEMPORAL.version}` },
  minio: { variable: 'FARM_MINIO_BIN', address: 'FARM_S3_ENDPOINT', folder: `minio-${MINIO.version}` },
};

/** Where the cache keeps a program, whether it is there or not. */
export function cachedPath(name, variables = process.env) {
  return join(cacheFolder(variables), PROGRAMS[name].folder, name);
}

/**
 * @param {'temporal' | 'minio'} name
 * @returns {{path: string, source: 'environment' | 'path' | 'cache'} | undefined} what is named in the environment is
 *   returned even if it is missing, so that the start can say so instead of quietly taking another
 */
export function locate(name, variables = process.env) {
  const named = variables[PROGRAMS[name].variable];
  if (named) return { path: resolve(named), source: 'environment' };
  for (const folder of (variables.PATH ?? '').split(delimiter)) {
    const path = join(folder || '.', name);
    if (isExecutable(path)) return { path: resolve(path), source: 'path' };
  }
  const cached = cachedPath(name, variables);
  return existsSync(cached) ? { path: cached, source: 'cache' } : undefined;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
