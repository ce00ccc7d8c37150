/** Finds (and, when running from sources, makes) the GPU tier's WGSL. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FarmError } from '../../../domain/errors.ts';
import { locateArtefact } from '../wasm/buildArtefact.ts';

export interface TracerWgsl {
  text: string;
  /** First 16 hexadecimal digits of the text's SHA-256. */
  build: string;
}

let loaded: Promise<TracerWgsl> | undefined;

/**
 * The WGSL, loaded once a process: the file that `FRAMEWRIGHT_TRACER_WGSL` names, else `dist/tracer.wgsl` found upward from
 * here. From sources a missing or outdated one is made first. Throws `BinaryMissing`.
 */
export function loadTracerWgsl(): Promise<TracerWgsl> {
  loaded ??= load().catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function load(): Promise<TracerWgsl> {
  const here = dirname(fileURLToPath(import.meta.url));
  const path = await locateArtefact(here, {
    name: 'tracer.wgsl',
    variable: 'FRAMEWRIGHT_TRACER_WGSL',
    source: join(here, '../wasm/assembly/index.ts'),
    script: join(here, 'build.js'),
    build: 'buildWgsl',
    sourceHash: 'wgslSourceHash',
  });
  try {
    const text = await readFile(path, 'utf8');
    return { text, build: createHash('sha256').update(text).digest('hex').slice(0, 16) };
  } catch (cause) {
    throw new FarmError('BinaryMissing', `The GPU tracer's ${path} cannot be read.`, { path }, { cause });
  }
}
