/** Prometheus metrics: what the farm holds (read when asked for) and how the API answers. For operators. */

import { sql } from 'kysely';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { FarmError } from '../../../domain/errors.ts';
import type { Tx } from '../../../ports/db/client.ts';
import type { Api, ApiDeps } from '../deps.ts';

export function addMetrics(api: Api, { database }: Pick<ApiDeps, 'database'>): void {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const latency = new Histogram({
    name: 'farm_http_seconds',
    help: 'Time to answer, by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    registers,
  });
  const claims = new Counter({
    name: 'farm_claims_total',
    help: 'Claims of nodes, by what they came to',
    labelNames: ['outcome'],
    registers,
  });
  const jobs = new Gauge({ name: 'farm_jobs', help: 'Jobs by status', labelNames: ['status'], registers });
  const nodes = new Gauge({ name: 'farm_nodes', help: 'Nodes by status', labelNames: ['status'], registers });
  const units = new Gauge({ name: 'farm_committed_units', help: 'Units committed and billed so far', registers });
  const leases = new Gauge({ name: 'farm_leases', help: 'Chunks that a node holds', registers });
  const outbox = new Gauge({ name: 'farm_outbox_open', help: 'Orders that wait to reach Temporal', registers });

  api.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    // A long poll's time says how little work there is, not how slow the API is.
    if (route === '/node/v1/claim') {
      claims.inc({ outcome: reply.statusCode === 200 ? 'leased' : reply.statusCode === 204 ? 'nothing' : 'refused' });
      return;
    }
    if (route.endsWith('/events')) return;
    latency.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });

  api.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    // Sums over all studios are nobody's business but the operator's.
    if (!request.caller) throw new FarmError('Unauthenticated', 'This needs the key of an operator.');
    if (request.caller.role !== 'operator') throw new FarmError('Forbidden', 'This needs the key of an operator.');
    const counted = await database.asService(countAll);
    jobs.reset();
    nodes.reset();
    for (const { status, count } of counted.jobs) jobs.set({ status }, count);
    for (const { status, count } of counted.nodes) nodes.set({ status }, count);
    units.set(counted.units);
    leases.set(counted.leases);
    outbox.set(counted.outbox);
    return reply.header('content-type', registry.contentType).send(await registry.metrics());
  });
}

async function countAll(tx: Tx) {
  const count = sql<number>`count(*)::int`.as('count');
  const jobs = await tx.selectFrom('jobs').select(['status', count]).groupBy('status').execute();
  const nodes = await tx.selectFrom('nodes').select(['status', count]).groupBy('status').execute();
  const units = await tx.selectFrom('receiptLines').select(count).executeTakeFirstOrThrow();
  const leases = await tx.selectFrom('chunks').select(count).where('status', '=', 'leased').executeTakeFirstOrThrow();
  const outbox = await tx.selectFrom('outbox').select(count).where('doneAt', 'is', null).executeTakeFirstOrThrow();
  return { jobs, nodes, units: units.count, leases: leases.count, outbox: outbox.count };
}
