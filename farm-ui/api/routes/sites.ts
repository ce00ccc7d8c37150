/** Sites: everybody sees them; operators register, drain and remove them. */
import { z } from 'zod';
import { FarmError } from '../../../domain/errors.ts';
import {
  changeSite,
  listSites,
  registerSite,
  removeSite,
  requireSite,
  type SiteAddress,
  type SiteListing,
  storedBytes,
} from '../../../ports/db/sites.ts';
import { inTime } from '../../../ports/store/inTime.ts';
import { createMinioStore } from '../../../ports/store/minioStore.ts';
import type { Api, ApiDeps } from '../deps.ts';
import type { Hub } from '../live/hub.ts';
import { openSse } from '../live/sse.ts';
import { requireCaller } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { type SiteStoreRequest, type SiteView, site, siteChange, siteList, siteRequest } from '../schema/sites.ts';

/** How long a store or agent may take to answer before it counts as not reachable. */
const PATIENCE_MS = 10_000;
/** What is stored is counted over all records, so not for every look. */
const COUNTED_FOR_MS = 30_000;
/** Nodes come and go in bursts. */
const GATHER_MS = 200;

const tags = ['farm'];
const params = z.object({ name: z.string().min(1).max(63) });

export function addSites(api: Api, { database, hub }: ApiDeps & { hub: Hub }): void {
  let counted: { at: number; bytes: Promise<Map<string, number>> } | null = null;
  const storedNow = (): Promise<Map<string, number>> => {
    if (counted && performance.now() - counted.at < COUNTED_FOR_MS) return counted.bytes;
    const bytes = database.asService((tx) => storedBytes(tx));
    counted = { at: performance.now(), bytes };
    bytes.catch(() => {
      counted = null;
    });
    return bytes;
  };
  /** @param stored null for who may not know what all studios store together */
  const viewOf = (
    { createdAt: _c, wanted: _w, storeSilentSince: _s, lastSeenAt, ...listing }: SiteListing,
    stored: Map<string, number> | null,
  ): SiteView => ({
    ...listing,
    storedBytes: stored ? (stored.get(listing.id) ?? 0) : null,
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
  });

  api.get(
    '/v1/sites',
    { schema: { tags, summary: 'Sites', response: { 200: siteList, ...problems } } },
    async (request) => {
      const { role } = requireCaller(request, 'read');
      const stored = role === 'operator' ? await storedNow() : null;
      return { items: (await database.asService((tx) => listSites(tx))).map((listing) => viewOf(listing, stored)) };
    },
  );

  api.get(
    '/v1/sites/events',
    {
      schema: {
        tags,
        summary: 'Says `sites.changed`, live, when a site or a node of one changes; read the list then',
        response: {
          200: {
            description: 'Messages with `event` sites.changed',
            content: { 'text/event-stream': { schema: z.string() } },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      requireCaller(request, 'read');
      const stream = openSse(request, reply);
      let timer: NodeJS.Timeout | undefined;
      const stop = hub.onSites(() => {
        timer ??= setTimeout(() => {
          timer = undefined;
          stream.send({ event: 'sites.changed', data: { type: 'sites.changed', jobId: '', data: {} } });
        }, GATHER_MS);
      });
      stream.onClose(() => {
        clearTimeout(timer);
        stop();
      });
    },
  );

  api.post(
    '/v1/sites',
    {
      schema: {
        tags,
        summary: 'Register a site',
        description: 'Operators only. The store is reached and its bucket made before anything is kept.',
        body: siteRequest,
        response: { 201: site, ...problems },
      },
    },
    async (request, reply) => {
      requireCaller(request, 'operate');
      const { name, store, ...facts } = request.body;
      const address = store ? await reach(store) : null;
      const listing = await database.asService(async (tx) => {
        await registerSite(tx, name, facts, address);
        return requireSite(tx, name);
      });
      return reply.code(201).send(viewOf(listing, await storedNow()));
    },
  );

  api.patch(
    '/v1/sites/:name',
    {
      schema: {
        tags,
        summary: 'Change, drain, resume or remove a site',
        description:
          'Operators only. What is not named stays as it is. A site with frames that no studio has acknowledged is removed by `force` only. A removed site may be registered again.',
        params,
        body: siteChange,
        response: { 200: site, ...problems },
      },
    },
    async (request) => {
      requireCaller(request, 'operate');
      const { status, force, store, ...facts } = request.body;
      const { name } = request.params;
      const known = await database.asService((tx) => requireSite(tx, name));
      if (known.kind === 'home' && store) {
        throw new FarmError('RequestInvalid', "The store of the farm's own site is the farm's own.", {
          field: 'store',
        });
      }
      const address = store ? await reach(store) : undefined;
      const stored = await storedNow();
      return database.asService(async (tx) => {
        if (status === 'removed') {
          await removeSite(tx, known, { force });
          return viewOf({ ...known, status, hasStore: false, hasAgent: false, nodesOnline: 0, nodes: 0 }, stored);
        }
        await changeSite(tx, known.id, { ...facts, status }, address);
        return viewOf(await requireSite(tx, name), stored);
      });
    },
  );
}

/** The address as it will be kept, after store and agent have answered and the bucket is there. @throws `StoreFailed` */
async function reach({ agent, nearEndpoint, ...store }: SiteStoreRequest): Promise<SiteAddress> {
  const { endpoint, bucket } = store;
  const opened = createMinioStore(store);
  await inTime(opened.ensureBucket(), PATIENCE_MS, `The store at ${endpoint} does not answer.`, { endpoint, bucket });
  if (agent) {
    const url = new URL('/v1/health', agent.url);
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${agent.token}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch((cause: unknown) => {
      throw new FarmError(
        'StoreFailed',
        `The site agent at ${agent.url} does not answer.`,
        { agent: agent.url },
        { cause },
      );
    });
    if (!answer.ok) {
      const message = `The site agent at ${agent.url} answers ${answer.status}.`;
      throw new FarmError('StoreFailed', message, { agent: agent.url });
    }
  }
  const near = nearEndpoint ?? endpoint;
  return { ...store, nearEndpoint: near, agentUrl: agent?.url ?? null, agentToken: agent?.token ?? null };
}
