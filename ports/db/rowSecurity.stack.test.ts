import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addJob,
  addNode,
  addStudio,
  artifactsOf,
  deliver,
  hashOf,
  mustClaim,
  openTestRecord,
  type TestRecord,
  TOKEN,
} from '../../test/support/rows.ts';
import { audit } from './audit.ts';
import { announceBlobs } from './blobs.ts';
import { recordSigned } from './chainTx.ts';
import { commitUnit } from './commit.ts';
import { acknowledgeFrames } from './deliveries.ts';
import { json } from './documents.ts';
import { begin } from './idempotency.ts';
import { createInvoice } from './invoices.ts';
import { nextReceipt } from './receipts.ts';
import { createApiKey } from './studios.ts';

let record: TestRecord;
let mine: string;
let theirs: string;
let tenantTables: string[];

/** Gives a studio a row in every table that belongs to studios. */
async function fill(studioId: string, name: string): Promise<void> {
  const { database } = record;
  const node = await addNode(database, `node-${name}`);
  const { jobId } = await addJob(database, { studioId, name, frames: 1 });
  const lease = await mustClaim(database, node);
  const unitId = lease.units[0]!.unitId;
  await deliver(database, lease, node.id, unitId);
  await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
  await database.asService(async (tx) => {
    await nextReceipt(tx, { jobId, nodeId: node.id, computeRoot: () => `0x${hashOf('root')}` });
    const line = { line: 1, nodeId: node.id, chunkId: lease.chunkId, units: [], amount: 10n, netCents: 1 };
    await createInvoice(tx, {
      jobId,
      build: () => ({
        ...{
          document: { formatVersion: 1 },
          total: 10n,
          currency: 'EUR',
          netCents: 1,
          taxCents: 0,
          grossCents: 1,
          root: '0x',
        },
        lines: [{ ...line, salt: '', leaf: '', proof: [] }],
      }),
    });
    await recordSigned(tx, {
      ...{
        studioId,
        jobId,
        kind: 'deposit',
        reference: 'deposit',
        chainId: TOKEN.chainId,
        sender: `0x${hashOf(name).slice(0, 40)}`,
      },
      ...{ nonce: 0, hash: '0x', raw: '0x' },
    });
    await begin(tx, { studioId, key: 'key', requestHash: hashOf('request') });
    const { siteId } = await tx
      .selectFrom('nodes')
      .select('siteId')
      .where('id', '=', node.id)
      .executeTakeFirstOrThrow();
    await tx
      .insertInto('objectCopies')
      .values({ studioId, kind: 'blobs', hash: hashOf(name), siteId })
      .execute();
    await announceBlobs(tx, studioId, [{ hash: hashOf(`${name} upload`), sizeBytes: 1 }], 60);
    const frames = [{ unitId, hash: artifactsOf(unitId)[0]!.hash }];
    await acknowledgeFrames(tx, { jobId, frames });
    await tx
      .insertInto('frameCache')
      .values({ studioId, key: hashOf(name), unitId, artifacts: json([]), measurements: json({}), sizeBytes: 0 })
      .execute();
    await audit(tx, { studioId, actor: 'farm', action: 'test', subject: 'test' });
    await createApiKey(tx, { studioId, role: 'td', label: 'key', keyHash: hashOf(`${name} key`) });
  });
}

beforeAll(async () => {
  record = await openTestRecord();
  mine = await addStudio(record.database, 'mine');
  theirs = await addStudio(record.database, 'theirs');
  await fill(mine, 'mine');
  await fill(theirs, 'theirs');
  const rows = await record.query<{ name: string }>(`
    SELECT table_name AS name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'farm' AND column_name = 'studio_id' AND table_type = 'BASE TABLE' ORDER BY 1`);
  tenantTables = rows.map(({ name }) => name);
});
afterAll(() => record?.close());

/** Runs statements as `farm_app` with a studio set (or none) and takes everything back. */
async function asApp<T>(studioId: string | null, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: record.urls.app, options: '-c search_path=farm' });
  await client.connect();
  try {
    await client.query('BEGIN');
    if (studioId) await client.query(`SELECT set_config('farm.studio_id', $1, true)`, [studioId]);
    return await work(client);
  } finally {
    await client.query('ROLLBACK').catch(() => {});
    await client.end();
  }
}

const count = async (client: pg.Client, table: string): Promise<number> =>
  Number((await client.query(`SELECT count(*) FROM ${table}`)).rows[0].count);

describe('row-level security', () => {
  it('covers every table that names a studio, forced, in all their foreign keys', async () => {
    expect(tenantTables.length).toBeGreaterThanOrEqual(23);
    const unprotected = await record.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'farm'::regnamespace AND relname = ANY ($1 || '{studios}'::text[])
        AND NOT (relrowsecurity AND relforcerowsecurity)`,
      [tenantTables],
    );
    expect(unprotected).toEqual([]);
    // A view shows what its reader may see of the tables below it, not what its owner may.
    const revealing = await record.query(`SELECT relname FROM pg_class WHERE relnamespace = 'farm'::regnamespace
      AND relkind = 'v' AND NOT coalesce(reloptions @> '{security_invoker=true}', false)`);
    expect(revealing).toEqual([]);
    // A reference from one tenant table to another carries the studio, so that no row can point into another studio.
    const careless = await record.query(`
      SELECT conrelid::regclass::text AS source, confrelid::regclass::text AS target FROM pg_constraint AS c
      WHERE contype = 'f' AND connamespace = 'farm'::regnamespace AND confrelid::regclass::text <> 'studios'
        AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = confrelid AND attname = 'studio_id' AND NOT attisdropped)
        AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey) AND attname = 'studio_id')`);
    expect(careless).toEqual([]);
  });

  it('has a row of both studios to hide in every such table', async () => {
    for (const table of tenantTables) {
      const rows = await record.query<{ id: string }>(
        `SELECT DISTINCT studio_id AS id FROM farm.${table} WHERE studio_id IS NOT NULL`,
      );
      expect([table, rows.map(({ id }) => id).sort()]).toEqual([table, [mine, theirs].sort()]);
    }
  });

  it('shows a studio its own rows and nothing without a studio', async () => {
    for (const table of tenantTables) {
      const seen = await asApp(
        mine,
        async (client) => (await client.query(`SELECT DISTINCT studio_id FROM ${table}`)).rows,
      );
      expect([table, seen]).toEqual([table, [{ studio_id: mine }]]);
      expect([table, await asApp(null, (client) => count(client, table))]).toEqual([table, 0]);
    }
    expect(await asApp(mine, async (client) => (await client.query('SELECT id FROM studios')).rows)).toEqual([
      { id: mine },
    ]);
    expect(await asApp(null, (client) => count(client, 'studios'))).toBe(0);
  });

  it('lets a studio change or delete no row of another', async () => {
    for (const table of tenantTables) {
      for (const statement of [`UPDATE ${table} SET studio_id = studio_id`, `DELETE FROM ${table}`]) {
        const touched = await asApp(mine, (client) =>
          client.query(`${statement} WHERE studio_id = '${theirs}'`).then(
            ({ rowCount }) => rowCount,
            // Not granted at all (append-only tables, keys).
            (error: { code: string }) => (error.code === '42501' ? 0 : error),
          ),
        );
        expect([statement, touched]).toEqual([statement, 0]);
      }
    }
  });

  it('lets a studio insert no row for another, nor give one of its own away', async () => {
    for (const table of tenantTables) {
      const columns = await record.query<{ name: string }>(
        `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'farm' AND table_name = $1`,
        [table],
      );
      const names = columns.map(({ name }) => `"${name}"`).join(', ');
      const theirsInstead = columns.map(({ name }) => (name === 'studio_id' ? `'${theirs}'` : `"${name}"`)).join(', ');
      for (const statement of [
        `INSERT INTO ${table} (${names}) SELECT ${theirsInstead} FROM ${table} LIMIT 1`,
        `UPDATE ${table} SET studio_id = '${theirs}'`,
      ]) {
        const refused = await asApp(mine, (client) =>
          client.query(statement).then(
            () => null,
            (error: { code: string }) => error.code,
          ),
        );
        // 42501: not granted, or "violates row-level security policy". FW…: the table is append-only.
        expect([statement, refused]).toEqual([statement, expect.stringMatching(/^(42501|FW00\d)$/)]);
      }
    }
  });

  it('gives the roles nothing to get round it with', async () => {
    const roles = await record.query(
      `SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname IN ('farm_app', 'farm_service', 'farm_owner') ORDER BY 1`,
    );
    expect(roles).toEqual(
      ['farm_app', 'farm_owner', 'farm_service'].map((rolname) => ({
        ...{ rolname, rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false },
      })),
    );
    const owned = await record.query(
      `SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) IN ('farm_app', 'farm_service') AND relnamespace = 'farm'::regnamespace`,
    );
    expect(owned).toEqual([]);
    const memberships = await record.query(
      `SELECT pg_get_userbyid(member) FROM pg_auth_members WHERE pg_get_userbyid(member) IN ('farm_app', 'farm_service')`,
    );
    expect(memberships).toEqual([]);
    const attempt = (sql: string) =>
      asApp(mine, (client) =>
        client.query(sql).then(
          () => 'done',
          (error: Error) => error.message,
        ),
      );
    expect(await attempt('SET ROLE farm_service')).toMatch(/permission denied/);
    expect(await attempt('ALTER TABLE jobs DISABLE ROW LEVEL SECURITY')).toMatch(/must be owner/);
    expect(await attempt('CREATE TABLE farm.mine (id int)')).toMatch(/permission denied/);
    expect(await attempt('SELECT token_hash FROM nodes')).toMatch(/permission denied/);
    expect(await attempt('TRUNCATE jobs')).toMatch(/permission denied/);
    // Forgets the studio with the transaction: a pooled connection carries nothing over.
    expect(await record.database.withStudio(mine, (tx) => tx.selectFrom('jobs').select('id').execute())).toHaveLength(
      1,
    );
    expect(await asApp(null, (client) => count(client, 'jobs'))).toBe(0);
  });

  it('keeps committed units, ledger, receipts lines, invoices and audit as they are, for the farm itself too', async () => {
    const client = new pg.Client({ connectionString: record.urls.owner, options: '-c search_path=farm' });
    await client.connect();
    try {
      // The owner is subject to the policies as well and sees nothing, so ask the superuser for the triggers.
      expect(await count(client, 'units')).toBe(0);
    } finally {
      await client.end();
    }
    const attempts: [string, string][] = [
      [`UPDATE units SET price = 0 WHERE status = 'committed'`, 'FW001'],
      [`DELETE FROM units WHERE status = 'committed'`, 'FW001'],
      [`UPDATE ledger_postings SET amount = amount`, 'FW003'],
      [`DELETE FROM ledger_postings`, 'FW003'],
      [`UPDATE ledger_journals SET reference = 'x'`, 'FW003'],
      [`DELETE FROM receipt_lines`, 'FW003'],
      [`UPDATE job_events SET data = '{}'`, 'FW003'],
      [`UPDATE audit_log SET actor = 'x'`, 'FW003'],
      [`UPDATE invoices SET total = 0`, 'FW004'],
      [`UPDATE invoice_lines SET amount = 0`, 'FW003'],
    ];
    for (const [statement, code] of attempts) {
      const refused = await record.query(statement).then(
        () => null,
        (error: { code: string }) => error.code,
      );
      expect([statement, refused]).toEqual([statement, code]);
    }
  });
});
