/** Finds (and, when running from sources, builds) the compiled tracer. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FarmError } from '../../../domain/errors.ts';

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
  const path = process.env.FRAMEWRIGHT_TRACER_WASM ?? (await locate());
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new FarmError('BinaryMissing', `The compiled tracer ${path} cannot be read.`, { path }, { cause });
  }
  const build = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { module: await WebAssembly.compile(new Uint8Array(bytes)), build };
}

async function locate(): Promise<string> {
  const here = dirname(fileURLToPath(import.meta.url));
  const script = join(here, 'build.js');
  if (existsSync(script) && existsSync(join(here, 'assembly', 'index.ts'))) {
    const path = join(here, '../../../dist/tracer.wasm');
    await buildIfOutdated(script, path);
    return path;
  }
  for (let folder = here; ; folder = dirname(folder)) {
    for (const path of [join(folder, 'tracer.wasm'), join(folder, 'dist', 'tracer.wasm')]) {
      if (existsSync(path)) return path;
    }
    if (dirname(folder) === folder) break;
  }
  throw new FarmError('BinaryMissing', 'The compiled tracer (dist/tracer.wasm) is missing; run "npm run build".');
}

interface BuildScript {
  buildTracer(outFile: string): Promise<void>;
  tracerSourceHash(): Promise<string>;
}

/** Compiles under a lock folder, so that test files that start together compile once. */
async function buildIfOutdated(script: string, path: string): Promise<void> {
  const { buildTracer, tracerSourceHash } = (await import(pathToFileURL(script).href)) as BuildScript;
  const wanted = await tracerSourceHash();
  const isCurrent = async (): Promise<boolean> =>
    existsSync(path) && (await readFile(`${path}.source`, 'utf8').catch(() => '')) === wanted;
  if (await isCurrent()) return;
  const lock = `${path}.lock`;
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch {
      const age = await stat(lock).then(
        (entry) => Date.now() - entry.mtimeMs,
        () => 0,
      );
      if (age > 120_000) await rm(lock, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (await isCurrent()) return;
    }
  }
  try {
    if (!(await isCurrent())) await buildTracer(path);
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}
