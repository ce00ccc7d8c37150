/** The HTTP server: the studios' API, the node gateway, the page. */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Api, ApiDeps } from './deps.ts';
import { addGateway } from './gateway/plugin.ts';
import { type Hub, openHub } from './live/hub.ts';
import { addAuth } from './plugins/auth.ts';
import { addIdempotency } from './plugins/idempotency.ts';
import { addMetrics } from './plugins/metrics.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { addPage } from './plugins/page.ts';
import { addProblems, answerError, answerUnreadable } from './plugins/problems.ts';
import { addControl } from './routes/control.ts';
import { addDeliveries } from './routes/deliveries.ts';
import { addEvents } from './routes/events.ts';
import { addFarm } from './routes/farm.ts';
import { addFrames } from './routes/frames.ts';
import { addHeads } from './routes/heads.ts';
import { addHealth } from './routes/health.ts';
import { addInvoices } from './routes/invoices.ts';
import { addJobs } from './routes/jobs.ts';
import { addMe } from './routes/me.ts';
import { addSession } from './routes/session.ts';
import { addSites } from './routes/sites.ts';
import { addStore } from './routes/store.ts';
import { addSubmit } from './routes/submit.ts';

/**
 * Builds the server; `listen` is the caller's. Closing it ends live streams and its listeners on the database, not the
 * things in `deps`.
 */
export async function createServer(deps: ApiDeps, log?: FastifyBaseLogger): Promise<Api> {
  const api = Fastify({
    ...(log ? { loggerInstance: log } : { logger: false }),
    requestIdHeader: 'x-request-id',
    genReqId: () => randomUUID(),
    // Live streams never end by themselves: a server that closes must not wait for them.
    forceCloseConnections: true,
    trustProxy: 'loopback',
    routerOptions: { maxParamLength: 200 },
    // Addresses that the router cannot read.
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
    clientErrorHandler: answerUnreadable,
  }).withTypeProvider<ZodTypeProvider>() as Api;
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  api.addHook('onSend', async (request, reply, payload) => {
    reply.header('x-request-id', request.id);
    return payload;
  });

  const hub = await openHub(deps.database);
  api.addHook('onClose', () => hub.close());
  const live = { ...deps, hub };

  addProblems(api);
  await addAuth(api, deps);
  addIdempotency(api, deps);
  await addOpenApi(api, API_VERSION);
  addMetrics(api, deps);
  addHealth(api, deps);
  addStudioRoutes(api, live);
  addGateway(api, live);
  await addPage(api, deps.pageFolder);
  await api.ready();
  return api;
}

/** Version of the API as its description states it; the farm's software has its own. */
export const API_VERSION = '1.0.0';

/** Everything below `/v1`. */
export function addStudioRoutes(api: Api, deps: ApiDeps & { hub: Hub }): void {
  addSession(api, deps);
  addMe(api, deps);
  addFarm(api, deps);
  addSites(api, deps);
  addStore(api, deps);
  addSubmit(api, deps);
  addJobs(api, deps);
  addControl(api, deps);
  addFrames(api, deps);
  addHeads(api, deps);
  addDeliveries(api, deps);
  addEvents(api, deps);
  addInvoices(api, deps);
}
