/** Shapes of sites: places with an object store, nodes, a link and a price. */
import { z } from 'zod';
import { plainText } from './text.ts';

const country = z
  .string()
  .regex(/^[A-Z]{2}$/)
  .describe('ISO 3166-1 alpha-2');
const rate = z.number().positive().max(1e13).describe("Payload that the site's link carries, bytes a second");
const siteName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/)
  .describe('Short name, such as berlin-1');
const address = z.url({ protocol: /^https?$/ }).max(500);

const siteStore = z.object({
  endpoint: address.describe('S3 address for the farm and the studios'),
  nearEndpoint: address.optional().describe("The same store as the site's own nodes reach it; default: the same"),
  region: plainText.min(1).max(64).default('us-east-1'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  accessKey: plainText.min(1).max(256),
  secretKey: plainText.min(1).max(256),
  agent: z
    .object({ url: address, token: plainText.min(16).max(512) })
    .optional()
    .describe('The site agent beside the store, which verifies frames where they lie'),
});

const facts = {
  country: country.nullable().optional(),
  linkDownBytes: rate.nullable().optional(),
  linkUpBytes: rate.nullable().optional(),
  priceFactor: z.number().min(0.001).max(1000).optional().describe('Price of work here relative to the tariff'),
};

/** Which sites may take a job, and which of them should. */
export const placementWish = z.object({
  objective: z.enum(['finish', 'cost']).default('finish').describe('The earliest end, or the lowest price'),
  sites: z
    .array(z.string().min(1).max(63))
    .min(1)
    .max(100)
    .optional()
    .describe('Names of the only sites that may take it'),
  country: country.optional().describe('The only country that it may be rendered and stored in'),
});
export const placement = z.object({
  wish: placementWish,
  at: z.iso.datetime({ offset: true }).nullable().describe('When it was decided; null: not yet'),
  why: z.string().nullable(),
  finishSeconds: z.number().nullable().describe('Expected end of the last frame, seconds after the decision'),
  shares: z.array(
    z.object({
      ...{ siteId: z.uuid(), name: z.string(), frames: z.int(), range: z.string() },
      ...{ stageBytes: z.number(), backBytes: z.number(), finishSeconds: z.number() },
      bottleneck: z.enum(['link-up', 'link-down', 'render']),
    }),
  ),
  leftOut: z.array(z.object({ siteId: z.uuid(), name: z.string(), reason: z.string() })),
  actual: z
    .array(
      z.object({
        ...{ siteId: z.uuid(), name: z.string() },
        frames: z.int().describe('Committed frames that its nodes rendered, those it took over among them'),
        beganSeconds: z.number().describe('Its first lease, seconds after the decision'),
        lastSeconds: z.number().nullable().describe('Its newest committed frame, seconds after the decision'),
      }),
    )
    .describe('What each site that took work really did'),
});

export const siteRequest = z.object({
  name: siteName,
  store: siteStore.optional().describe('Without one the site keeps its data in the store of the farm'),
  ...facts,
});
export const siteChange = z.object({
  status: z.enum(['online', 'draining', 'removed']).optional().describe('A draining site takes no new chunks'),
  force: z
    .boolean()
    .optional()
    .describe('With `removed`: also where frames lie that no studio has acknowledged; they can be fetched no more'),
  store: siteStore.optional(),
  ...facts,
});
export const site = z.object({
  id: z.uuid(),
  name: z.string(),
  kind: z.enum(['home', 'edge']),
  status: z.enum(['online', 'draining', 'lost', 'removed']),
  country: z.string().nullable(),
  linkDownBytes: z.number().nullable(),
  linkUpBytes: z.number().nullable(),
  priceFactor: z.number(),
  hasStore: z.boolean().describe('Has an object store of its own'),
  hasAgent: z.boolean(),
  nodesOnline: z.int(),
  nodes: z.int().describe('That have joined and not left'),
  storedBytes: z
    .number()
    .nullable()
    .describe(
      'Frames and project data of all studios on record here, counted at most once in half a minute; null for who is no operator',
    ),
  lastSeenAt: z.iso.datetime({ offset: true }).nullable(),
});
export const siteList = z.object({ items: z.array(site) });

export type SiteView = z.infer<typeof site>;
export type SiteStoreRequest = z.infer<typeof siteStore>;
