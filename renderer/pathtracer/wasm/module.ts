/** Finds (and, when running from sources, builds) the compiled tracer. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FarmError } from '../../../domain/errors.ts';
import { locateArtefact } from './buildArtefact.ts';

export interface TracerModule {
  module: WebAssembly.Module;
  /** First 16 hexadecimal digits of the module's SHA-256: equal builds give equal bits. */
  build: string;
}

let loaded: Promise<TracerModule> | undefined;

/**
 * The compiled tracer, loaded once a process: the file that `FRAMEWRIGHT_TRACER_WASM` names, else `dist/tracer.wasm` found
 * upward from here. From sources a missing or outdated module is compiled first. Throws `BinaryMissing`.
 */
export function loadTracerModule(): Promise<TracerModule> {
  loaded ??= load().catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function load(): Promise<TracerModule> {
  const here = dirname(fileURLToPath(import.meta.url));
  const path = await locateArtefact(here, {
    name: 'tracer.wasm',
    variable: 'FRAMEWRIGHT_TRACER_WASM',
    source: join(here, 'assembly/index.ts'),
    script: join(here, 'build.js'),
    build: 'buildTracer',
    sourceHash: 'tracerSourceHash',
  });
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new FarmError('BinaryMissing', `The compiled tracer ${path} cannot be read.`, { path }, { cause });
  }
  const build = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { module: await WebAssembly.compile(new Uint8Array(bytes)), build };
}
