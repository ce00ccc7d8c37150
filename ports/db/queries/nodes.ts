/** Nodes as lists show them. */
import { sql } from 'kysely';
import type { Tx } from '../client.ts';
import type { NodeRow } from '../tables.ts';
import { requireService } from './service.ts';

export interface NodeListing extends Omit<NodeRow, 'tokenHash'> {
  /** Name of the site. */
  site: string;
  /** Holds a lease now, whoever the job belongs to. */
  working: boolean;
}

/** All nodes but those that left (unless asked for), by name. Asked with `asService`: work of all studios counts. */
export async function listNodes(tx: Tx, { withLeft = false }: { withLeft?: boolean } = {}): Promise<NodeListing[]> {
  await requireService(tx, 'listNodes');
  let query = tx
    .selectFrom('nodes as n')
    .innerJoin('sites as s', 's.id', 'n.siteId')
    .select([
      ...(['n.id', 'n.siteId', 'n.name', 'n.account', 'n.status', 'n.engine', 'n.engineBuild', 'n.tier'] as const),
      ...(['n.device', 'n.threads', 'n.memoryBytes', 'n.score', 'n.labels', 'n.joinedAt', 'n.lastSeenAt'] as const),
      's.name as site',
      sql<boolean>`EXISTS (SELECT FROM chunks AS c WHERE c.status = 'leased' AND c.node_id = n.id)`.as('working'),
    ])
    .orderBy('n.name');
  if (!withLeft) query = query.where('n.status', '<>', 'left');
  return query.execute();
}

/** How many nodes are online. Any transaction may ask. */
export async function countOnlineNodes(tx: Tx): Promise<number> {
  const { count } = await tx
    .selectFrom('nodes')
    .select(sql<number>`count(*)`.as('count'))
    .where('status', '=', 'online')
    .executeTakeFirstOrThrow();
  return count;
}
