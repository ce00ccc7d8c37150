/** Artefacts of the build that code loads at run time: found in `dist/`, or made from sources when these are newer. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FarmError } from '../../../domain/errors.ts';

interface Artefact {
  /** File name in `dist/`. */
  name: string;
  /** Environment variable that may name another file. */
  variable: string;
  /** A file that is there only where the sources are. */
  source: string;
  /** The script that makes it of them. */
  script: string;
  /** Its functions: makes the artefact at a path, and the hash of what it is made of. */
  build: string;
  sourceHash: string;
}

/**
 * Path of an artefact: what its variable names, else `dist/NAME` found upward from `here`. From sources a missing or outdated
 * one is made first. Throws `BinaryMissing`.
 */
export async function locateArtefact(here: string, artefact: Artefact): Promise<string> {
  const named = process.env[artefact.variable];
  if (named) return named;
  if (existsSync(artefact.source)) {
    const path = join(here, '../../../dist', artefact.name);
    await buildIfOutdated(artefact, path);
    return path;
  }
  for (let folder = here; ; folder = dirname(folder)) {
    for (const path of [join(folder, artefact.name), join(folder, 'dist', artefact.name)]) {
      if (existsSync(path)) return path;
    }
    if (dirname(folder) === folder) break;
  }
  throw new FarmError('BinaryMissing', `The compiled tracer (dist/${artefact.name}) is missing; run "npm run build".`);
}

/** Makes it under a lock folder, so that test files that start together make it once. */
async function buildIfOutdated({ script, build, sourceHash }: Artefact, path: string): Promise<void> {
  const tools = (await import(pathToFileURL(script).href)) as Record<string, (outFile?: string) => Promise<string>>;
  const wanted = await tools[sourceHash]!();
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
    if (!(await isCurrent())) await tools[build]!(path);
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}
