/** A node says goodbye: it gets no more leases until it joins again. */
import { setNodeStatus } from '../../../ports/db/nodes.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { ApiDeps } from '../deps.ts';
import { forgetNode } from './nodeAuth.ts';

/** A lease that is still held is taken back when its node is next heard of, or by its end. */
export async function leave({ database }: ApiDeps, node: NodeRow): Promise<void> {
  await database.asService((tx) => setNodeStatus(tx, node.id, 'left'));
  forgetNode({ database }, node.id);
}
