/** Brings a database to the newest schema: roles, database, then every SQL file of `infra/migrations` not yet applied. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { FarmError } from '../../domain/errors.ts';
import { repositoryRoot } from './paths.ts';

/** Passwords of the three roles. The owner owns the schema and nothing else does; nobody but the administrator is superuser. */
export interface RolePasswords {
  owner: string;
  app: string;
  service: string;
}

export interface MigratedDatabase {
  /** URL of `farm_owner`: migrations. */
  owner: string;
  /** URL of `farm_app`: requests, under row-level security. */
  app: string;
  /** URL of `farm_service`: the farm's own background work. */
  service: string;
  /** Names of the files that were applied now. */
  applied: string[];
}

/** Any number; all who migrate wait for the holder. */
const LOCK = 7_271_935;
const ROLES = ['owner', 'app', 'service'] as const;

/**
 * Makes roles and database where they are missing and applies the migrations in the order of their names, each in a
 * transaction of its own. Safe to call at any time and by several processes at once.
 * @param adminUrl URL of a role that may create roles and databases
 * @param database name of the database
 * @throws FarmError `ServiceFailed` when a file that was applied has changed since, or one fails
 */
export async function migrate(
  adminUrl: string,
  passwords: RolePasswords,
  database = 'farm',
  folder = join(repositoryRoot, 'infra', 'migrations'),
): Promise<MigratedDatabase> {
  const url = (role: string, password: string) => {
    const target = new URL(adminUrl);
    target.username = role;
    target.password = encodeURIComponent(password);
    target.pathname = `/${database}`;
    return target.href;
  };
  const urls = { owner: '', app: '', service: '' };
  for (const role of ROLES) urls[role] = url(`farm_${role}`, passwords[role]);
  await withClient(adminUrl, async (client) => {
    await locked(client, async () => {
      for (const role of ROLES) await ensureRole(client, `farm_${role}`, passwords[role]);
      await ensureDatabase(client, database);
    });
  });
  const applied = await withClient(urls.owner, (client) => locked(client, () => applyAll(client, folder)));
  return { ...urls, applied };
}

async function applyAll(client: pg.Client, folder: string): Promise<string[]> {
  await client.query(`CREATE TABLE IF NOT EXISTS public.migrations
    (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM public.migrations',
  );
  const known = new Map(rows.map(({ name, checksum }) => [name, checksum]));
  const applied: string[] = [];
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()) {
    const sql = readFileSync(join(folder, name), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    const before = known.get(name);
    if (before === checksum) continue;
    if (before !== undefined) {
      throw new FarmError(
        'ServiceFailed',
        `The migration ${name} has changed since it was applied. Write a new one, or "farm reset" a farm that may lose its data.`,
        {
          migration: name,
        },
      );
    }
    await client.query('BEGIN');
    try {
      await client.query(sql);
      // The file may have set a search path for itself.
      await client.query('RESET search_path');
      await client.query('INSERT INTO public.migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      const { message, position } = error as Error & { position?: string };
      const line = position ? ` at line ${sql.slice(0, Number(position)).split('\n').length}` : '';
      throw new FarmError(
        'ServiceFailed',
        `The migration ${name} failed${line}: ${message}`,
        { migration: name },
        { cause: error },
      );
    }
    applied.push(name);
  }
  return applied;
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount ? 'ALTER' : 'CREATE';
  await client.query(
    `${verb} ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD ${client.escapeLiteral(password)}`,
  );
}

async function ensureDatabase(client: pg.Client, database: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  const name = client.escapeIdentifier(database);
  if (!rowCount) {
    // A role that is no superuser may only give away what a role it belongs to shall own.
    await client.query('GRANT farm_owner TO CURRENT_USER');
    await client.query(`CREATE DATABASE ${name} OWNER farm_owner`);
  }
  await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  await client.query(`GRANT CONNECT, TEMPORARY ON DATABASE ${name} TO farm_app, farm_service`);
  await client.query(`ALTER DATABASE ${name} SET search_path = farm, public`);
}

async function locked<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
  try {
    return await work();
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => {});
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
