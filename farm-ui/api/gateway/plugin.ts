/** The node gateway: all that a render node can reach of the farm. Protocol: `ports/gateway/protocol.ts`. */
import { z } from 'zod';
import * as protocol from '../../../ports/gateway/protocol.ts';
import type { Api, ApiDeps } from '../deps.ts';
import type { Hub } from '../live/hub.ts';
import { claim } from './claim.ts';
import { tellHead } from './heads.ts';
import { join } from './join.ts';
import { announce, finish, heartbeatOf, report } from './leases.ts';
import { leave } from './leave.ts';
import { requireNode } from './nodeAuth.ts';
import { pendingReceiptsOf, takeSignature } from './receipts.ts';
import { fetchBlobs, takeCopies } from './sources.ts';

export interface GatewayDeps extends ApiDeps {
  hub: Hub;
}

const leaseParams = z.object({ chunkId: z.uuid() });
const empty = z.object({});
/** 1000 cached hashes and a heartbeat's 50 lines stay far below. */
const BODY_LIMIT = 512 * 1024;

/** Adds the routes below `/node/v1`; they are no part of the studios' API description. */
export function addGateway(api: Api, deps: GatewayDeps): void {
  api.register(
    async (scope: Api) => {
      scope.addHook('onRoute', (route) => {
        route.schema = { ...route.schema, hide: true };
        route.bodyLimit = BODY_LIMIT;
        // Heartbeats of many nodes would drown what people ask for.
        route.logLevel = 'warn';
      });

      scope.post(
        '/join',
        { schema: { body: protocol.joinRequest, response: { 200: protocol.joinAnswer } } },
        (request) => join(deps, request.body),
      );

      scope.post(
        '/claim',
        { schema: { body: protocol.claimRequest, response: { 200: protocol.lease, 204: z.undefined() } } },
        async (request, reply) => {
          const node = await requireNode(request, deps);
          const result = await claim(deps, node, request.body, goneSignal(reply.raw));
          reply.header(protocol.RECEIPTS_HEADER, result.receiptsPending ? 'pending' : 'none');
          return result.lease ?? reply.code(204).send(undefined);
        },
      );

      scope.post(
        '/leases/:chunkId/heartbeat',
        {
          schema: { params: leaseParams, body: protocol.heartbeatRequest, response: { 200: protocol.heartbeatAnswer } },
        },
        async (request) => heartbeatOf(deps, await requireNode(request, deps), request.params.chunkId, request.body),
      );

      scope.post(
        '/leases/:chunkId/fetch',
        { schema: { params: leaseParams, body: protocol.fetchRequest, response: { 200: protocol.fetchAnswer } } },
        async (request) => fetchBlobs(deps, await requireNode(request, deps), request.params.chunkId, request.body),
      );

      scope.post(
        '/leases/:chunkId/copies',
        { schema: { params: leaseParams, body: protocol.copiesRequest, response: { 200: protocol.copiesAnswer } } },
        async (request) => takeCopies(deps, await requireNode(request, deps), request.params.chunkId, request.body),
      );

      scope.post(
        '/leases/:chunkId/announce',
        { schema: { params: leaseParams, body: protocol.announceRequest, response: { 200: protocol.announceAnswer } } },
        async (request) => announce(deps, await requireNode(request, deps), request.params.chunkId, request.body),
      );

      scope.post(
        '/leases/:chunkId/head',
        { schema: { params: leaseParams, body: protocol.headRequest, response: { 200: empty } } },
        async (request) => {
          await tellHead(deps, await requireNode(request, deps), request.params.chunkId, request.body);
          return {};
        },
      );

      scope.post(
        '/leases/:chunkId/report',
        { schema: { params: leaseParams, body: protocol.reportRequest, response: { 200: empty } } },
        async (request, reply) => {
          const node = await requireNode(request, deps);
          await report(deps, node, request.params.chunkId, request.body, goneSignal(reply.raw));
          return {};
        },
      );

      scope.post(
        '/leases/:chunkId/finish',
        { schema: { params: leaseParams, body: protocol.finishRequest, response: { 200: empty } } },
        async (request) => {
          await finish(deps, await requireNode(request, deps), request.params.chunkId, request.body);
          return {};
        },
      );

      scope.get('/receipts', { schema: { response: { 200: protocol.pendingReceipts } } }, async (request) =>
        pendingReceiptsOf(deps, await requireNode(request, deps)),
      );

      scope.post(
        '/receipts',
        { schema: { body: protocol.signedReceipt, response: { 200: empty } } },
        async (request) => {
          await takeSignature(deps, await requireNode(request, deps), request.body);
          return {};
        },
      );

      scope.post('/leave', { schema: { response: { 200: empty } } }, async (request) => {
        await leave(deps, await requireNode(request, deps));
        return {};
      });
    },
    { prefix: '/node/v1' },
  );
}

/** Aborts when the other side hangs up before it was answered. */
function goneSignal(raw: NodeJS.EventEmitter & { writableFinished: boolean }): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
