/**
 * The HTTP API's shapes, version 1: one source for validation, the OpenAPI description, the generated client and the page.
 *
 * A submission becomes a job in three calls, so that nothing is spent or kept before its owner agrees:
 * 0. `POST /v1/jobs/check` and `POST /v1/blobs/missing` let a client find mistakes and send bytes before it has read all
 *    files; both may be left out.
 * 1. `POST /v1/jobs` checks all that can be checked without bytes, answers which blobs the store lacks (status `uploading`).
 * 2. `POST /v1/jobs/:id/prepare` after the uploads: verifies blobs, inspects the scene, calibrates on a node, quotes
 *    (status `quoted`). A user's mistake found here deletes job, version and the blobs it brought, and answers the problem.
 * 3. `POST /v1/jobs/:id/accept` deposits the cap in escrow and starts rendering (status `active`).
 */
import { z } from 'zod';
import { STAGES } from '../../../domain/statuses.ts';
import { delivery } from './delivery.ts';
import { renderSettings, requestedSettings } from './settings.ts';
import { placement, placementWish } from './sites.ts';
import { plainText } from './text.ts';

export const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256, lower-case hex');
export const money = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,77})$/)
  .describe('Token base units as a decimal string');
export const id = z.uuid();
const time = z.iso.datetime({ offset: true });

export const blob = z.object({ hash, sizeBytes: z.int().min(0) });
export const filePart = z.object({
  blob: hash.describe('The blob that holds these bytes'),
  offset: z.int().min(0).describe('Where they begin in the blob'),
  sizeBytes: z.int().min(1),
});
const namedFile = z.object({
  path: z.string().min(1).max(1024).describe('Relative to the project root, forward slashes'),
  sizeBytes: z.int().min(0),
});
export const submittedFile = namedFile.extend({
  hash: hash.describe('SHA-256 of the whole file'),
  parts: z
    .array(filePart)
    .min(1)
    .max(100_000)
    .optional()
    .describe('Slices of blobs that make up the file, in order, without gaps; absent: the file is the blob `hash`'),
});

const wishes = {
  name: plainText.min(1).max(128).describe('Shot name; also names the project'),
  main: z.string().min(1).describe('Path of the scene file among the files'),
  ...requestedSettings,
  template: z.string().max(200).optional().describe('Output name, default {shot}_{layer}_v{version}.{frame:04}.{ext}'),
  priority: z.int().min(1).max(5).optional(),
  cap: money.optional().describe('Refuses with CapTooSmall when not even one frame fits'),
  placement: placementWish.optional(),
  cache: z.boolean().optional().describe('False: take no frame from the frame cache and keep none there'),
  awaitDelivery: z
    .boolean()
    .optional()
    .describe('The studio takes the frames as they come: the job, once settled, ends when it has acknowledged all'),
};
export const jobRequest = z.object({
  ...wishes,
  files: z.array(submittedFile).min(1).max(100_000),
  blobs: z.array(blob).max(1_000_000).optional().describe('The blobs that files name by their parts'),
});
/** A submission before its files are read: what can be known to be wrong with it is said now. */
export const jobCheck = z.object({ ...wishes, files: z.array(namedFile).min(1).max(100_000) });

export const missingRequest = z.object({ blobs: z.array(blob).min(1).max(1_000) });
export const missingBlob = z.object({
  hash,
  url: z.string().describe('Presigned PUT for exactly these bytes'),
  headers: z.record(z.string(), z.string()).describe('Send exactly these headers'),
});

export const missingBlobs = z.object({ missing: z.array(missingBlob) });
export const jobCreated = z.object({ id, missing: z.array(missingBlob) });

export const warning = z.object({ code: z.string(), message: z.string() });

export const quotedCache = z.object({
  frames: z.string().describe('Frames that come from the frame cache, not billed, as a range'),
  count: z.int(),
  note: z.string().nullable().describe('Why the cache was not asked; null where it was'),
});

export const quote = z.object({
  total: money,
  unitPrice: money,
  units: z.int().describe('Frames to be rendered; those from the cache are not among them'),
  cache: quotedCache,
  suggestedCap: money,
  token: z.object({ symbol: z.string(), decimals: z.int(), address: z.string(), chainId: z.int() }),
  currency: z.string().length(3),
  totalCents: z.int().describe('Net, in minor units of the currency'),
  centsPerTokenE6: z.int(),
  secondsPerFrame: z.number(),
  estimatedSeconds: z.number().describe('Wall time with the nodes that are online now'),
  pricePerFbh: money,
  expiresAt: time,
});

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  place: z.record(z.string(), z.unknown()),
  remedy: z.string(),
  fault: z.enum(['user', 'system']),
  retryable: z.boolean(),
});

export const stageProgress = z.object({
  stage: z.enum(STAGES),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'skipped']),
  fraction: z.number().min(0).max(1),
  seconds: z.number().nullable(),
});

export const frameCounts = z.object({
  total: z.int(),
  committed: z.int(),
  rendering: z.int(),
  failed: z.int(),
  billed: z.int(),
  cached: z.int().describe('Committed from the frame cache, not billed'),
});

/** What intake saw in the scene, for people; the whole inspection stays on record with the version. */
export const inspection = z.object({
  generator: z.string().nullable(),
  scenes: z.array(z.string()),
  variants: z.array(z.string()),
  cameras: z.array(z.object({ name: z.string(), animated: z.boolean() })),
  durationSeconds: z.number(),
  triangles: z.int(),
  instancedTriangles: z.int(),
  meshes: z.int(),
  materials: z.int(),
  lights: z.int(),
  hasEnvironment: z.boolean(),
  textures: z.array(z.object({ name: z.string(), width: z.int(), height: z.int() })),
  textureBytes: z.int(),
});

export const job = z.object({
  id,
  name: z.string(),
  version: z.int().nullable(),
  status: z.enum([
    'uploading',
    'preparing',
    'quoted',
    'active',
    'paused',
    'stopping',
    'completed',
    'cancelled',
    'failed',
    'expired',
  ]),
  stage: z.enum(STAGES),
  stages: z.array(stageProgress),
  pauseReason: z.enum(['user', 'budget']).nullable(),
  problem: problem.partial().nullable(),
  frames: frameCounts,
  frameRange: z.string(),
  width: z.int(),
  height: z.int(),
  samples: z.int(),
  fps: z.number(),
  /** Complete; camera, fps and start come from the scene once it was read. */
  settings: renderSettings,
  template: z.string(),
  priority: z.int(),
  cap: money,
  reserved: money,
  spent: money,
  currency: z.string(),
  spentCents: z.int(),
  placement,
  delivery,
  quote: quote.nullable(),
  inspection: inspection.nullable(),
  warnings: z.array(warning),
  createdAt: time,
  acceptedAt: time.nullable(),
  endedAt: time.nullable(),
  estimatedEndAt: time.nullable(),
  eventSeq: z.int(),
});

export const jobPage = z.object({ items: z.array(job), nextCursor: z.string().nullable() });

export const frame = z.object({
  unitId: id,
  frame: z.int(),
  take: z.int(),
  tile: z.int(),
  layer: z.string(),
  status: z.enum(['planned', 'offered', 'leased', 'uploaded', 'verified', 'committed', 'failed', 'cancelled']),
  node: z.string().nullable(),
  price: money,
  cached: z.boolean().describe('From the frame cache, not billed'),
  renderSeconds: z.number().nullable(),
  name: z.string().describe('File name from the template, relative, with .exr'),
  exr: z.object({ hash, sizeBytes: z.int() }).nullable(),
  preview: z.object({ hash, sizeBytes: z.int() }).nullable(),
  picture: z
    .object({ hash, sizeBytes: z.int() })
    .nullable()
    .describe('In the format that the job chose; null where that is PNG, as the preview is'),
  warnings: z.array(warning),
  refusals: z.array(z.object({ at: z.string(), node: z.string(), code: z.string(), message: z.string() })),
  committedAt: time.nullable(),
  deliveredAt: time.nullable().describe('When the studio acknowledged it'),
});
export const framePage = z.object({ items: z.array(frame), nextCursor: z.string().nullable() });

export const downloadUrl = z.object({ url: z.string(), hash, sizeBytes: z.int(), name: z.string() });
export const frameUrls = z.object({
  exr: downloadUrl.nullable(),
  preview: downloadUrl.nullable(),
  picture: downloadUrl.nullable(),
});
/** A file of a frame, with the addresses of all its copies. */
const frameDownload = downloadUrl.extend({
  mirrors: z.array(z.string()).describe('Addresses of further copies at other sites'),
  transit: z.string().nullable().describe("The same at the site's agent, compressed for the way where that helps"),
});
/** Where one committed frame lies. */
const frameAddresses = z.object({
  unitId: id,
  siteId: id.nullable().describe('Site whose store has it; null: the farm itself'),
  exr: frameDownload.nullable(),
  preview: frameDownload.nullable(),
  picture: frameDownload.nullable(),
});
export const frameAddressesRequest = z.object({ unitIds: z.array(id).min(1).max(200) });
export const frameAddressesPage = z.object({ items: z.array(frameAddresses) });
/** The first part of a frame that is being judged: its rest can be had when it is committed. */
const frameHead = z.object({
  unitId: id,
  siteId: id.nullable().describe('Site whose store has it; null: the farm itself'),
  name: z.string().describe('Name of the whole file'),
  hash: z.string().describe('SHA-256 of the whole file'),
  sizeBytes: z.number().int().describe('Of the whole file'),
  headBytes: z.number().int().describe('Bytes that the address gives'),
  url: z.string().describe('Answers one request header only: `Range: bytes=0-(headBytes - 1)`'),
  nextUrl: z
    .string()
    .describe('As many bytes again. Answers one request header only: `Range: bytes=headBytes-(2 * headBytes - 1)`'),
});
export const frameHeadsPage = z.object({ items: z.array(frameHead) });
/** The files that a job renders from, as they were submitted. */
export const projectFiles = z.object({
  main: z.string().describe('Path of the scene file'),
  items: z.array(
    submittedFile.extend({
      url: z.string().nullable().describe('Address of the bytes, for an hour; null when the file is made of parts'),
    }),
  ),
  blobs: z.record(z.string(), z.string()).describe('Addresses of the blobs that parts on this page name, by hash'),
  nextCursor: z.string().nullable(),
});
export const outputs = z.object({
  manifest: downloadUrl.nullable(),
  film: downloadUrl.nullable(),
  contactSheet: downloadUrl.nullable(),
  away: z
    .array(z.string())
    .describe(
      'Sites that did not answer: film and contact sheet have gaps for what lies there, and are made again when it answers',
    ),
});

/** One event of a job's log, as sent over server-sent events with `id: seq`. Types: domain/events.ts. */
export const jobEvent = z.object({
  seq: z.int(),
  jobId: id,
  at: time,
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
});

export const node = z.object({
  id,
  name: z.string(),
  site: z.string(),
  account: z.string(),
  status: z.enum(['online', 'offline', 'draining', 'left']),
  tier: z.string(),
  device: z.string(),
  threads: z.int(),
  memoryBytes: z.int(),
  score: z.number(),
  engineBuild: z.string(),
  lastSeenAt: time,
  working: z.boolean(),
});
export const nodeList = z.object({ items: z.array(node) });

export const invoiceUnit = z.object({
  unitId: id,
  frame: z.int(),
  take: z.int(),
  tile: z.int(),
  amount: money,
  exrHash: hash,
});
export const invoiceLine = z.object({
  line: z.int(),
  node: z.string(),
  nodeAccount: z.string(),
  chunk: z.int(),
  frames: z.string(),
  units: z.array(invoiceUnit),
  amount: money,
  netCents: z.int(),
  salt: z.string(),
  leaf: z.string(),
  proof: z.array(z.string()),
});
export const invoice = z.object({
  number: z.string(),
  issuedAt: time,
  status: z.enum(['issued', 'posted', 'paid']),
  jobId: id,
  jobName: z.string(),
  seller: z.record(z.string(), z.unknown()),
  buyer: z.record(z.string(), z.unknown()),
  lines: z.array(invoiceLine),
  cached: z
    .object({ count: z.int(), frames: z.string() })
    .describe('Frames from the frame cache: on no line, not billed'),
  total: money,
  deposited: money,
  refunded: money,
  currency: z.string(),
  netCents: z.int(),
  taxBasisPoints: z.int(),
  taxCents: z.int(),
  grossCents: z.int(),
  centsPerTokenE6: z.int(),
  rateAt: time,
  token: z.object({ symbol: z.string(), decimals: z.int(), address: z.string(), chainId: z.int() }),
  settlement: z.string(),
  root: z.string(),
  transaction: z.string().nullable(),
});

export const verification = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  lines: z.array(z.object({ line: z.int(), proof: z.boolean(), frames: z.boolean(), detail: z.string() })),
});

export const why = z.object({
  reasons: z.array(z.object({ code: z.string(), message: z.string(), remedy: z.string() })),
});

export const farmInfo = z.object({
  version: z.string(),
  nodesOnline: z.int(),
  currency: z.string(),
  pricePerFbh: money,
  token: z.object({ symbol: z.string(), decimals: z.int(), address: z.string(), chainId: z.int() }),
});
export const me = z.object({
  role: z.enum(['artist', 'td', 'finance', 'operator', 'node']),
  studio: z.object({ id, slug: z.string(), name: z.string(), currency: z.string(), account: z.string() }).nullable(),
  balance: money.nullable().describe("Token balance of the studio's account, outside escrow"),
});

export const acceptRequest = z.object({ cap: money.optional().describe('Default: the suggested cap of the quote') });
export const raiseCapRequest = z.object({ cap: money.describe('The new cap, larger than the old one') });

export type JobRequest = z.infer<typeof jobRequest>;
export type JobCheck = z.infer<typeof jobCheck>;
export type JobView = z.infer<typeof job>;
export type QuoteView = z.infer<typeof quote>;
export type FrameView = z.infer<typeof frame>;
export type InvoiceView = z.infer<typeof invoice>;
