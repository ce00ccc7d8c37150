/** Who a node is: the token that joining gave it. */
import type { FastifyRequest } from 'fastify';
import { FarmError } from '../../../domain/errors.ts';
import { nodeByTokenHash, touchNode } from '../../../ports/db/nodes.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { ApiDeps } from '../deps.ts';
import { bearerOf, hashKey } from '../plugins/auth.ts';

/**
 * The node that asks; notes that it was heard of.
 * @throws FarmError `NodeNotRegistered`
 */
export async function requireNode(request: FastifyRequest, { database }: Pick<ApiDeps, 'database'>): Promise<NodeRow> {
  const token = bearerOf(request);
  const node = token
    ? await database.asService(async (tx) => {
        const found = await nodeByTokenHash(tx, hashKey(token));
        if (found) await touchNode(tx, found.id);
        return found;
      })
    : null;
  if (!node) throw new FarmError('NodeNotRegistered', 'This token is no node of the farm.');
  return node;
}
