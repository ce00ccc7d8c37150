/** A node says goodbye: it gets no more leases until it joins again, and what it still held is free at once. */
import { FarmError } from '../../../domain/errors.ts';
import { finishLease, leasesOf } from '../../../ports/db/lease.ts';
import { setNodeStatus } from '../../../ports/db/nodes.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { ApiDeps } from '../deps.ts';
import { forgetNode } from './nodeAuth.ts';

/**
 * Hands back what the node still holds: a lease whose answer it did not wait for, or whose last word did not get through.
 * First the status, then the leases: a claim that comes in between gets nothing.
 */
export async function leave({ database }: ApiDeps, node: NodeRow): Promise<void> {
  await database.asService((tx) => setNodeStatus(tx, node.id, 'left'));
  forgetNode({ database }, node.id);
  for (const lease of await database.asService((tx) => leasesOf(tx, node.id))) {
    // One transaction each: every lease's end locks its job.
    await database
      .asService((tx) => finishLease(tx, { ...lease, outcome: 'handed-back' }))
      .catch((error: unknown) => {
        // It ended in the meantime.
        if (!(error instanceof FarmError && error.code === 'LeaseLost')) throw error;
      });
  }
}
