/** Who a node is: the token that joining gave it. */
import type { FastifyRequest } from 'fastify';
import { FarmError } from '../../../domain/errors.ts';
import { hearNode } from '../../../ports/db/nodes.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { ApiDeps } from '../deps.ts';
import { bearerOf, hashKey } from '../plugins/auth.ts';

/** A node that was asked for is asked for again after this time; a busy node calls many times a second. */
const KNOWN_MS = 2_000;
const NODES_KEPT = 10_000;

/** Nodes heard of just now, by the hash of their token; one map for each record. */
const known = new WeakMap<ApiDeps['database'], Map<string, { node: NodeRow; until: number }>>();

/**
 * The node that asks; notes that it was heard of. Its row may be two seconds old: who depends on its status reads that
 * anew, and leases are checked by their numbers.
 * @throws FarmError `NodeNotRegistered`
 */
export async function requireNode(request: FastifyRequest, { database }: Pick<ApiDeps, 'database'>): Promise<NodeRow> {
  const token = bearerOf(request);
  if (!token) throw notRegistered();
  const hash = hashKey(token);
  const nodes = known.get(database) ?? new Map<string, { node: NodeRow; until: number }>();
  known.set(database, nodes);
  const entry = nodes.get(hash);
  if (entry && entry.until > performance.now()) return entry.node;
  const node = await database.singly((statements) => hearNode(statements, hash));
  if (nodes.size >= NODES_KEPT) nodes.clear();
  if (node) nodes.set(hash, { node, until: performance.now() + KNOWN_MS });
  else nodes.delete(hash);
  if (!node) throw notRegistered();
  return node;
}

/** Has the node's row read anew at its next call: its token or status was changed here. */
export function forgetNode({ database }: Pick<ApiDeps, 'database'>, nodeId: string): void {
  const nodes = known.get(database);
  for (const [hash, { node }] of nodes ?? []) if (node.id === nodeId) nodes?.delete(hash);
}

const notRegistered = (): FarmError => new FarmError('NodeNotRegistered', 'This token is no node of the farm.');
