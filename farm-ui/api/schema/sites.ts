/** Shapes of sites: places with an object store, nodes, a link and a price. */
import { z } from 'zod';

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
  region: z.string().min(1).max(64).default('us-east-1'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  accessKey: z.string().min(1).max(256),
  secretKey: z.string().min(1).max(256),
  agent: z
    .object({ url: address, token: z.string().min(16).max(512) })
    .optional()
    .describe('The site agent beside the store, which verifies frames where they lie'),
});

const facts = {
  country: country.nullable().optional(),
  linkDownBytes: rate.nullable().optional(),
  linkUpBytes: rate.nullable().optional(),
  priceFactor: z.number().min(0.001).max(1000).optional().describe('Price of work here relative to the tariff'),
};

export const siteRequest = z.object({
  name: siteName,
  store: siteStore.optional().describe('Without one the site keeps its data in the store of the farm'),
  ...facts,
});
export const siteChange = z.object({
  status: z.enum(['online', 'draining', 'removed']).optional().describe('A draining site takes no new chunks'),
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
  lastSeenAt: z.iso.datetime({ offset: true }).nullable(),
});
export const siteList = z.object({ items: z.array(site) });

export type SiteView = z.infer<typeof site>;
export type SiteStoreRequest = z.infer<typeof siteStore>;
