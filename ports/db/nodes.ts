/** Render nodes. All of this needs the farm's own transaction (`asService`): nodes belong to no studio. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { NodeStatus } from '../../domain/statuses.ts';
import type { Statements, Tx } from './client.ts';
import { type HostRequirements, json, type NodeLabels } from './documents.ts';
import type { NodeRow } from './tables.ts';

export interface JoinInput {
  name: string;
  /** Name of the site; made when missing. */
  site: string;
  account: string;
  /** SHA-256 of the node's new bearer token. */
  tokenHash: string;
  engine: string;
  engineBuild: string;
  tier: 'cpu' | 'gpu';
  device: string;
  threads: number;
  memoryBytes: number;
  score: number;
  labels: NodeLabels;
}

/**
 * Takes a node in, or back: the same name with the same account is the same node, gets the new token and is online.
 * Labels get the amounts that OpenJD names (`amount.worker.vcpu`, `amount.worker.memory` in MiB) unless they are given.
 * @throws FarmError `Forbidden` when the name belongs to another account, or the account to another node, or the site was removed
 */
export async function joinNode(
  tx: Tx,
  { site, labels, ...input }: JoinInput,
): Promise<{ nodeId: string; siteId: string }> {
  const { id: siteId, status } = await tx
    .insertInto('sites')
    .values({ name: site })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ name: site }))
    .returning(['id', 'status'])
    .executeTakeFirstOrThrow();
  if (status === 'removed') throw new FarmError('Forbidden', `The site "${site}" was removed.`, { site });
  const measured = {
    'amount.worker.vcpu': input.threads,
    'amount.worker.memory': Math.floor(input.memoryBytes / 2 ** 20),
  };
  const account = input.account.toLowerCase();
  const values = { ...input, account, siteId, labels: json({ ...measured, ...labels }), status: 'online' as const };
  const others = await tx
    .selectFrom('nodes')
    .select(['name', 'account'])
    .where((where) => where.or([where('name', '=', input.name), where('account', '=', account)]))
    .execute();
  const other = others.find((node) => node.name !== input.name || node.account !== account);
  if (other) {
    const what = other.name === input.name ? `The name "${input.name}" belongs` : `Account ${account} belongs`;
    throw new FarmError('Forbidden', `${what} to another node.`, { node: input.name });
  }
  const node = await tx
    .insertInto('nodes')
    .values(values)
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ ...values, lastSeenAt: sql<Date>`now()` })
        .where('nodes.account', '=', account),
    )
    .returning('id')
    .executeTakeFirst();
  if (!node)
    throw new FarmError('Forbidden', `The name "${input.name}" belongs to another node.`, { node: input.name });
  return { nodeId: node.id, siteId };
}

/** The node with that token (SHA-256 of it), or null; it was heard from just now: an offline one is online again. */
export async function hearNode(statements: Statements, tokenHash: string): Promise<NodeRow | null> {
  const node = await statements
    .updateTable('nodes')
    .set({
      lastSeenAt: sql<Date>`clock_timestamp()`,
      status: sql<NodeStatus>`CASE status WHEN 'offline' THEN 'online' ELSE status END`,
    })
    .where('tokenHash', '=', tokenHash)
    .returningAll()
    .executeTakeFirst();
  return node ?? null;
}

/** @throws FarmError `NotFound` */
export async function setNodeStatus(tx: Tx, nodeId: string, status: NodeStatus): Promise<void> {
  const node = await tx
    .updateTable('nodes')
    .set({ status })
    .where('id', '=', nodeId)
    .returning('id')
    .executeTakeFirst();
  if (!node) throw new FarmError('NotFound', `There is no node ${nodeId}.`, { node: nodeId });
}

/** Nodes not heard from for so long are offline from now on. Their leases end by themselves. Answers their names. */
export async function markSilentNodesOffline(tx: Tx, olderThanMs: number): Promise<string[]> {
  const nodes = await tx
    .updateTable('nodes')
    .set({ status: 'offline' })
    .where('status', 'in', ['online', 'draining'])
    .where('lastSeenAt', '<', sql<Date>`clock_timestamp() - make_interval(secs => ${olderThanMs / 1000})`)
    .returning('name')
    .execute();
  return nodes.map(({ name }) => name);
}

/** Nodes online whose labels meet the needs. */
export async function fittingNodes(
  tx: Tx,
  needs: HostRequirements,
): Promise<Pick<NodeRow, 'engine' | 'engineBuild' | 'tier' | 'device' | 'score'>[]> {
  return tx
    .selectFrom('nodes')
    .select(['engine', 'engineBuild', 'tier', 'device', 'score'])
    .where('status', '=', 'online')
    .where(sql<boolean>`meets(labels, ${JSON.stringify(needs)}::jsonb)`)
    .execute();
}

export { listNodes } from './queries/nodes.ts';
