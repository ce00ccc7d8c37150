/** A node says goodbye: it gets no more leases until it joins again, and what it still held is free at once. */
import { leasesOf } from '../../../ports/db/lease.ts';
import { setNodeStatus } from '../../../ports/db/nodes.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { ApiDeps } from '../deps.ts';
import { handBack } from './handBack.ts';
import { forgetNode } from './nodeAuth.ts';

/**
 * Hands back what the node still holds: a lease whose answer it did not wait for, or whose last word did not get through.
 * First the status, then the leases: a claim that comes in between gets nothing.
 */
export async function leave({ database }: ApiDeps, node: NodeRow): Promise<void> {
  await database.asService((tx) => setNodeStatus(tx, node.id, 'left'));
  forgetNode({ database }, node.id);
  for (const lease of await database.asService((tx) => leasesOf(tx, node.id))) await handBack(database, lease);
}
