/**
 * The node gateway's protocol, version 1: all that a node can say and hear. JSON over HTTP below `/node/v1`, with
 * `Authorization: Bearer <node token>` after joining. Money as decimal strings of token base units, hashes as lower-case
 * hex SHA-256, times as ISO 8601. Errors are problem+json with a code of `domain/errors.ts`.
 *
 * | call | answer |
 * |---|---|
 * | POST /node/v1/join | `JoinRequest` → `JoinAnswer` |
 * | POST /node/v1/claim | `ClaimRequest` → 200 `Lease` or 204 after the long poll |
 * | POST /node/v1/leases/:chunkId/heartbeat | `HeartbeatRequest` → `HeartbeatAnswer` |
 * | POST /node/v1/leases/:chunkId/fetch | `FetchRequest` → `FetchAnswer`: presigned GETs for blobs of this lease |
 * | POST /node/v1/leases/:chunkId/copies | `CopiesRequest` → `CopiesAnswer`: presigned PUTs into the site's own store |
 * | POST /node/v1/leases/:chunkId/announce | `AnnounceRequest` → `AnnounceAnswer`: presigned PUTs for exactly these hashes |
 * | POST /node/v1/leases/:chunkId/head | `HeadRequest` → 200 `{}`: a frame's first part is in the store, the whole follows |
 * | POST /node/v1/leases/:chunkId/report | `ReportRequest` → 200 `{}`: the unit's artifacts are in the store |
 * | POST /node/v1/leases/:chunkId/finish | `FinishRequest` → 200 `{}` |
 * | GET /node/v1/receipts | `PendingReceipts`: receipts that wait for this node's signature |
 * | POST /node/v1/receipts | `SignedReceipt` → 200 `{}` |
 * | POST /node/v1/leave | 200 `{}`: no more leases; the running one is handed back |
 */
import { z } from 'zod';
import { PLAIN_TEXT } from '../../domain/text.ts';

export const GATEWAY_VERSION = 1;

/**
 * Header of every answer to a claim: `pending` when receipts wait for the node's signature. A long poll ends early for
 * them, so that an idle node signs at once.
 */
export const RECEIPTS_HEADER = 'framewright-receipts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const amount = z.string().regex(/^(0|[1-9][0-9]{0,77})$/);
const id = z.uuid();

export const joinRequest = z.object({
  version: z.literal(GATEWAY_VERSION),
  /** One-time or shared secret that the farm's operator handed out. */
  joinToken: z.string().min(1),
  name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/),
  site: z.string().min(1).regex(PLAIN_TEXT).default('local'),
  account: address,
  /** EIP-191 signature of `framewright-join:<name>:<account lower case>:<issuedAt>` with the account's key. */
  signature: z.string(),
  issuedAt: z.iso.datetime(),
  probe: z.object({
    engine: z.string(),
    build: z.string(),
    tier: z.enum(['cpu', 'gpu']),
    device: z.string(),
    threads: z.int().positive(),
    memoryBytes: z.int().positive(),
    score: z.number().positive(),
  }),
  labels: z.record(z.string(), z.union([z.number(), z.array(z.string())])).default({}),
});
export const joinAnswer = z.object({
  nodeId: id,
  /** Bearer token of the node; a new join with the same account and name replaces it. */
  token: z.string(),
  heartbeatMs: z.int().positive(),
  claimWaitMs: z.int().positive(),
});

export const claimRequest = z.object({
  version: z.literal(GATEWAY_VERSION),
  /** Hashes the node already holds, newest first, at most 1000: the match prefers chunks whose data is here. */
  cachedHashes: z.array(hash).max(1000).default([]),
  waitMs: z.int().min(0).max(60_000).default(20_000),
});

/** What a node signs to join: shows that it holds the account's key. */
export const joinMessage = (name: string, account: string, issuedAt: string): string =>
  `framewright-join:${name}:${account.toLowerCase()}:${issuedAt}`;

const size = z.int().min(0);
/** `hash` is of the whole file; with `parts` it is put together from slices of blobs, else it is a blob itself. */
const leaseFile = z.object({
  path: z.string(),
  sizeBytes: size,
  hash,
  parts: z.array(z.object({ blob: hash, offset: size, sizeBytes: size })).optional(),
});
const leaseUnit = z.object({
  unitId: id,
  frame: z.int(),
  tile: z.int().min(0),
  take: z.int().positive(),
  rect: z.object({ x0: z.int(), y0: z.int(), x1: z.int(), y1: z.int() }).optional(),
  price: amount,
  /** What this unit reads beside the lease's shared files: positions in `files`. */
  files: z.array(z.int().min(0)).default([]),
});
export const lease = z.object({
  chunkId: id,
  jobId: id,
  leaseNumber: z.int().positive(),
  kind: z.enum(['estimate', 'render']),
  /** How long the lease lives without a heartbeat, and how often to send one. */
  leaseMs: z.int().positive(),
  heartbeatMs: z.int().positive(),
  main: z.string(),
  /** Of a shot that is one file a frame, as the inspection found it; null: one file; absent: not known. */
  sequence: z.object({ pattern: z.string(), frames: z.string() }).nullable().optional(),
  /** What the lease's frames read and no more, in the order of need: first the `sharedFiles` that each of them reads. */
  files: z.array(leaseFile),
  sharedFiles: z.int().min(0),
  /** What those files are made of, in the order of need: all that may be fetched. */
  blobs: z.array(z.object({ hash, sizeBytes: size })),
  /** RenderSettings of domain/scene.ts */
  settings: z.record(z.string(), z.unknown()),
  units: z.array(leaseUnit),
  /** For 'estimate': frames to calibrate with. */
  estimateFrames: z.array(z.int()).default([]),
  /** For 'estimate': how many frames the job has in all, over which loading is spread. Absent: a farm of before did not say. */
  jobFrameCount: z.int().positive().optional(),
});

export const heartbeatRequest = z.object({
  leaseNumber: z.int().positive(),
  progress: z.array(z.object({ unitId: id, fraction: z.number().min(0).max(1) })).default([]),
  log: z.array(z.string().max(2000)).max(50).default([]),
});
export const heartbeatAnswer = z.object({
  /** False: stop at once; `reason` says why ('cancelled', 'paused', 'lease-lost'). */
  continue: z.boolean(),
  reason: z.enum(['cancelled', 'paused', 'lease-lost', 'draining']).nullable(),
  /** Receipts wait for a signature: GET /node/v1/receipts. */
  receiptsPending: z.boolean(),
});

export const fetchRequest = z.object({
  leaseNumber: z.int().positive(),
  hashes: z.array(hash).min(1).max(1000),
  /** Copies whose bytes were not what their hash says. `offset`: first byte known to be wrong or to lack, where known. */
  bad: z
    .array(z.object({ hash, site: z.string().nullable(), offset: size.nullable().default(null) }))
    .max(100)
    .default([]),
});
export const fetchAnswer = z.object({
  blobs: z.array(
    z.object({
      hash,
      /** In the order of expected arrival; the node leaves one that stalls, lies or is gone for the next. */
      sources: z.array(
        z.object({
          url: z.string(),
          /** Name of the site whose store it is; null: home. */
          site: z.string().nullable(),
          /** What the way from there carries, as far as known. */
          bytesPerSecond: z.number().positive().nullable(),
        }),
      ),
    }),
  ),
});

/** Blobs of the lease that this node holds and its site's store may take; `stored`: those that were put there. */
export const copiesRequest = z.object({
  leaseNumber: z.int().positive(),
  hashes: z.array(hash).max(1000).default([]),
  stored: z.array(hash).max(1000).default([]),
});
/** Addresses to put exactly these bytes; what is there already, or has no store to go to, is not listed. */
export const copiesAnswer = z.object({
  puts: z.array(z.object({ hash, url: z.string(), headers: z.record(z.string(), z.string()) })),
});

/** `picture`: in the format that the job's settings choose, where that is not the preview's PNG. */
const artifact = z.object({ kind: z.enum(['exr', 'preview', 'picture']), hash, sizeBytes: z.int().positive() });
const bytes = z.object({ hash, sizeBytes: z.int().positive() });
export const announceRequest = z.object({
  leaseNumber: z.int().positive(),
  unitId: id,
  artifacts: z.array(artifact).min(1).max(8),
  /** First part of the EXR, as long as `headBytesOf` says: on offer to a studio whose link may have nothing else to carry. */
  head: bytes.optional(),
});
export const announceAnswer = z.object({
  /** Where to put the head before all else, to say so with `head` then; null or absent: it is not wanted. `url` null: it is there. */
  head: z
    .object({ url: z.string().nullable(), headers: z.record(z.string(), z.string()) })
    .nullable()
    .optional(),
  /** `url` null: the store already holds these bytes for this studio. Send exactly `headers`. */
  puts: z.array(
    z.object({ kind: z.string(), hash, url: z.string().nullable(), headers: z.record(z.string(), z.string()) }),
  ),
});

export const headRequest = z.object({ leaseNumber: z.int().positive(), unitId: id, exr: bytes, head: bytes });

const measurements = z.object({
  renderSeconds: z.number().min(0),
  samples: z.number().min(0),
  rays: z.number().min(0),
  width: z.int().positive(),
  height: z.int().positive(),
  channels: z.array(z.string()),
  /** What rendered it; the frame cache tells frames by it. */
  build: z.string().max(200).optional(),
  tier: z.enum(['cpu', 'gpu']).optional(),
  device: z.string().max(200).optional(),
});
export const reportRequest = z.object({
  leaseNumber: z.int().positive(),
  unitId: id,
  artifacts: z.array(artifact).min(1).max(8),
  measurements,
  /** Answer when the unit has been judged, or after so long at the latest, milliseconds; a farm that knows no such wish answers at once. */
  waitMs: z.int().min(0).max(10_000).default(0),
});

export const finishRequest = z.object({
  leaseNumber: z.int().positive(),
  outcome: z.enum(['completed', 'failed', 'handed-back']),
  problem: z
    .object({ code: z.string(), message: z.string(), place: z.record(z.string(), z.unknown()) })
    .nullable()
    .default(null),
  /** For 'estimate' chunks: Estimate of renderer/engine.ts */
  estimate: z
    .object({
      secondsPerFrame: z.number().positive(),
      referenceScore: z.number().positive(),
      tracedShare: z.number(),
      frames: z
        .array(z.object({ frame: z.int(), seconds: z.number().nonnegative() }))
        .max(64)
        .default([]),
    })
    .nullable()
    .default(null),
});

/** Receipt as signed (EIP-712, domain/money/receipt.ts). */
const receiptToSign = z.object({
  jobId: id,
  sequence: z.int().positive(),
  cumulative: amount,
  unitCount: z.int().positive(),
  unitsRoot: z.string(),
  /** The units it covers, so that the node can compare with its own tally. */
  units: z.array(z.object({ unitId: id, amount })),
  chainId: z.int(),
  settlement: address,
});
export const pendingReceipts = z.object({ receipts: z.array(receiptToSign) });
export const signedReceipt = z.object({ jobId: id, sequence: z.int().positive(), signature: z.string() });

export type JoinRequest = z.infer<typeof joinRequest>;
export type JoinAnswer = z.infer<typeof joinAnswer>;
export type ClaimRequest = z.infer<typeof claimRequest>;
export type Lease = z.infer<typeof lease>;
export type LeaseUnit = z.infer<typeof leaseUnit>;
export type HeartbeatRequest = z.infer<typeof heartbeatRequest>;
export type HeartbeatAnswer = z.infer<typeof heartbeatAnswer>;
export type FetchRequest = z.infer<typeof fetchRequest>;
export type FetchAnswer = z.infer<typeof fetchAnswer>;
export type CopiesRequest = z.infer<typeof copiesRequest>;
export type CopiesAnswer = z.infer<typeof copiesAnswer>;
export type AnnounceRequest = z.infer<typeof announceRequest>;
export type AnnounceAnswer = z.infer<typeof announceAnswer>;
export type HeadRequest = z.infer<typeof headRequest>;
export type Artifact = z.infer<typeof artifact>;
export type ReportRequest = z.infer<typeof reportRequest>;
export type FinishRequest = z.infer<typeof finishRequest>;
export type PendingReceipts = z.infer<typeof pendingReceipts>;
