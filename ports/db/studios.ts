/** Studios, their keys, and what the farm charges. Writing needs the farm's own transaction (`asService`). */
import { sql } from 'kysely';
import type { Role } from '../../domain/statuses.ts';
import type { Statements, Tx } from './client.ts';
import { json } from './documents.ts';
import type { DeploymentRow, StudioRow, TariffRow } from './tables.ts';

/** Whose key that is, or null for an unknown or revoked one. `keyHash` is the SHA-256 of the key, hex. */
export async function findApiKey(
  statements: Statements,
  keyHash: string,
): Promise<{ studioId: string | null; role: Role; keyId: string } | null> {
  const key = await statements
    .selectFrom('apiKeys')
    .select(['studioId', 'role', 'id as keyId'])
    .where('keyHash', '=', keyHash)
    .where('revokedAt', 'is', null)
    .executeTakeFirst();
  return key ?? null;
}

export interface StudioInput {
  slug: string;
  name: string;
  /** ISO 4217. */
  currency: string;
  /** Printed on invoices: address, VAT number. */
  billing?: Record<string, unknown> | undefined;
  /** On-chain account that pays, and the session key that countersigns receipts. */
  account: string;
  sessionAccount: string;
  /** Where the farm keeps the studio's keys: k of accounts 100 + 2k and 101 + 2k. */
  keyIndex?: number | null | undefined;
}

/** Writes a studio; one with the same slug stays as it is and is answered. */
export async function createStudio(
  tx: Tx,
  { billing = {}, keyIndex = null, ...input }: StudioInput,
): Promise<StudioRow> {
  await tx
    .insertInto('studios')
    .values({ ...input, keyIndex, billing: json(billing) })
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .execute();
  return tx.selectFrom('studios').selectAll().where('slug', '=', input.slug).executeTakeFirstOrThrow();
}

/** The first key index that no studio uses. */
export async function nextKeyIndex(tx: Tx): Promise<number> {
  const { next } = await tx
    .selectFrom('studios')
    .select(sql<number>`coalesce(max(key_index) + 1, 0)`.as('next'))
    .executeTakeFirstOrThrow();
  return next;
}

/** A studio by id, or null. */
export async function getStudio(tx: Tx, studioId: string): Promise<StudioRow | null> {
  return (await tx.selectFrom('studios').selectAll().where('id', '=', studioId).executeTakeFirst()) ?? null;
}

/** A studio by slug, or null. */
export async function findStudio(tx: Tx, slug: string): Promise<StudioRow | null> {
  return (await tx.selectFrom('studios').selectAll().where('slug', '=', slug).executeTakeFirst()) ?? null;
}

/** Writes a key (its hash only); the same one again stays as it is. Operators and nodes have no studio. */
export async function createApiKey(
  tx: Tx,
  input: { studioId: string | null; role: Role; label: string; keyHash: string },
): Promise<string> {
  await tx
    .insertInto('apiKeys')
    .values(input)
    .onConflict((conflict) => conflict.column('keyHash').doNothing())
    .execute();
  const key = await tx
    .selectFrom('apiKeys')
    .select('id')
    .where('keyHash', '=', input.keyHash)
    .executeTakeFirstOrThrow();
  return key.id;
}

/** The tariff in force now, or null before one was set. */
export async function currentTariff(tx: Tx): Promise<TariffRow | null> {
  const tariff = await tx
    .selectFrom('tariffs')
    .selectAll()
    .where('validFrom', '<=', sql<Date>`now()`)
    .orderBy('validFrom', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirst();
  return tariff ?? null;
}

/** Sets a tariff, in force from `validFrom` (default now). Quotes made before keep theirs. */
export async function setTariff(
  tx: Tx,
  input: Pick<TariffRow, 'currency' | 'pricePerFbh' | 'centsPerTokenE6' | 'taxBasisPoints'> & { validFrom?: Date },
): Promise<void> {
  await tx.insertInto('tariffs').values(input).execute();
}

/** Records a deployment; the same one again stays as it is. */
export async function recordDeployment(tx: Tx, deployment: Omit<DeploymentRow, 'deployedAt'>): Promise<void> {
  await tx
    .insertInto('deployments')
    .values(deployment)
    .onConflict((conflict) => conflict.columns(['chainId', 'settlement']).doNothing())
    .execute();
}
