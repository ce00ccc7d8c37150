/** `farm doctor`: what the farm needs on this machine, what runs, and for each thing that is wrong a reason and a remedy. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { FarmError, toProblem } from '../../domain/errors.ts';
import { locate, PROGRAMS, type ProgramName } from '../bootstrap/locate.js';
import { MINIO, NODE_MINIMUM, PLATFORMS, TEMPORAL } from '../bootstrap/versions.js';
import { anvilProgram, chainIdOf } from './chain.ts';
import { status } from './commands.ts';
import { databaseUser, postgresPrograms } from './database-user.ts';
import type { FarmStatus } from './farm.ts';
import { freeBytes } from './managed-process.ts';
import { cacheFolder, farmHome } from './paths.ts';
import { checkProgram } from './program.ts';
import type { ServiceName } from './service.ts';
import { untilReachable } from './temporal.ts';

interface DoctorCheck {
  name: string;
  ok: boolean;
  /** What was found, or why it is wrong. */
  detail: string;
  /** What to do next; only where something is wrong. */
  remedy?: string;
}

export interface DoctorReport {
  ok: boolean;
  checks: DoctorCheck[];
}

const LEAST_FREE_BYTES = 2_000_000_000;

/** Looks at everything; finding something wrong is a result, not an error. */
export async function doctor(options: { home?: string } = {}): Promise<DoctorReport> {
  const home = options.home ?? farmHome();
  const checks = await Promise.all([
    check('Node', async () => nodeVersion()),
    check('platform', async () => platform()),
    check('disk of the farm', async () => disk(home)),
    check('disk of the cache', async () => disk(cacheFolder())),
    check('Temporal program', async () => program('temporal', `wanted ${TEMPORAL.version}`)),
    check('MinIO program', async () => program('minio', `wanted ${MINIO.version}`)),
    check('PostgreSQL program', async () => postgres()),
    check('chain program', async () => chain()),
  ]);
  const running = await status({ home }).catch((error) => toProblem(error));
  if ('code' in running) {
    const problem = running;
    checks.push({ name: 'farm', ok: false, detail: problem.message, remedy: problem.remedy });
  } else {
    checks.push(...(await farmChecks(running)));
  }
  return { ok: checks.every(({ ok }) => ok), checks };
}

async function farmChecks(farm: FarmStatus): Promise<DoctorCheck[]> {
  const services = farm.services.map(({ name, title, address, state }) =>
    check(title, async () => {
      if (state === 'failed') throw new FarmError('ServiceFailed', `It ended; see ${farm.home}/logs.`);
      await answers(name, address);
      return `answers at ${address}`;
    }),
  );
  const processes = farm.processes.map(({ name, state, pid, restarts, lastExit, logPath }) =>
    check(name, async () => {
      if (state !== 'running')
        throw new FarmError('ServiceFailed', `${state}${lastExit ? `: ${lastExit}` : ''}; see ${logPath}.`);
      return `process ${pid}${restarts > 0 ? `, started again ${restarts} times; last: ${lastExit}` : ''}`;
    }),
  );
  const page = check('page and API', async () => {
    const answer = await fetch(farm.url, { signal: AbortSignal.timeout(5000) }).catch((cause) => {
      throw new FarmError('ServiceFailed', `${farm.url} does not answer: ${cause.message}`, {}, { cause });
    });
    await answer.body?.cancel();
    return `answers at ${farm.url}`;
  });
  return Promise.all([...services, ...processes, page]);
}

async function answers(name: ServiceName, address: string): Promise<void> {
  if (name === 'temporal') return untilReachable('Temporal', address);
  if (name === 'database') return untilReachable('PostgreSQL', /:\d+$/.test(address) ? address : `${address}:5432`);
  if (name === 'chain') {
    await chainIdOf(address);
    return;
  }
  const answer = await fetch(address, { signal: AbortSignal.timeout(5000) });
  await answer.body?.cancel();
}

async function check(name: string, look: () => Promise<string>): Promise<DoctorCheck> {
  try {
    return { name, ok: true, detail: await look() };
  } catch (error) {
    const { message, remedy } = toProblem(error);
    return { name, ok: false, detail: message, remedy };
  }
}

function nodeVersion(): string {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [leastMajor, leastMinor] = NODE_MINIMUM;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return node;
  throw new FarmError(
    'PlatformUnsupported',
    `Node ${node} is too old; ${leastMajor}.${leastMinor} or later is needed.`,
  );
}

function platform(): string {
  const here = `${process.platform}-${process.arch}`;
  if (PLATFORMS.includes(here)) return here;
  throw new FarmError('PlatformUnsupported', `${process.platform} on ${process.arch} is not supported.`);
}

function disk(folder: string): string {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const free = freeBytes(existing);
  const text = `${(free / 1e9).toFixed(1)} GB free at ${existing}`;
  if (free >= LEAST_FREE_BYTES) return text;
  throw new FarmError('DiskFull', `Only ${text}.`, { folder: existing });
}

function program(name: ProgramName, wanted: string): string {
  if (process.env[PROGRAMS[name].address]) return `elsewhere (${PROGRAMS[name].address})`;
  const found = locate(name);
  const remedy = 'Run "npm start" or "npm test", which fetch it.';
  if (!found) throw new FarmError('BinaryMissing', `Not installed (${wanted}). ${remedy}`);
  checkProgram(name, found.path, remedy);
  return `${found.path} (from ${found.source}, ${wanted})`;
}

function postgres(): string {
  if (process.env.FARM_DATABASE_URL) return 'elsewhere (FARM_DATABASE_URL)';
  const remedy = 'Run "npm ci".';
  const { postgres } = postgresPrograms(databaseUser(), remedy);
  checkProgram('PostgreSQL', postgres, remedy);
  return postgres;
}

function chain(): string {
  if (process.env.FARM_CHAIN_RPC) return 'elsewhere (FARM_CHAIN_RPC)';
  const path = anvilProgram(process.env);
  checkProgram('the chain (anvil)', path, 'Run "npm ci".');
  return path;
}
