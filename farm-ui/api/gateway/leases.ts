/** What the holder of a lease may ask for and say. Every call names the lease's number; an old number gets nothing. */
import { FarmError, isErrorCode } from '../../../domain/errors.ts';
import { appendEvents } from '../../../ports/db/events.ts';
import { isAwaited } from '../../../ports/db/heads.ts';
import {
  finishLease,
  heartbeat,
  type LeaseKey,
  reportUnit,
  requireLease,
  requireUnitOfLease,
} from '../../../ports/db/lease.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type {
  AnnounceAnswer,
  AnnounceRequest,
  Artifact,
  FinishRequest,
  HeartbeatAnswer,
  HeartbeatRequest,
  ReportRequest,
} from '../../../ports/gateway/protocol.ts';
import { inTime } from '../../../ports/store/inTime.ts';
import type { ApiDeps } from '../deps.ts';
import { checkHead } from './heads.ts';
import type { GatewayDeps } from './plugin.ts';
import { watchForVerdict } from './verdict.ts';

/** Presigned addresses live this long: time for a slow link, and no more. */
const ADDRESS_SECONDS = 900;
/** A node waits 15 s for an answer, and shall hear before that it is the store that does not give one. Milliseconds. */
const STORE_ANSWER_MS = 10_000;
const SILENT_STORE = "The site's object store does not answer the farm.";
/** S3 takes no larger object in one PUT. */
const LARGEST_ARTIFACT_BYTES = 5 * 2 ** 30;

/** Studios of leases under which something was announced, which says that they were held by this node: that never changes. */
const announced = new Map<string, string>();
const ANNOUNCED_KEPT = 10_000;
const nameOf = ({ chunkId, nodeId, leaseNumber }: LeaseKey): string => `${chunkId}/${nodeId}/${leaseNumber}`;

/** Extends the lease; passes progress and log lines on; says whether to go on. */
export async function heartbeatOf(
  { database, gateway }: ApiDeps,
  node: NodeRow,
  chunkId: string,
  request: HeartbeatRequest,
): Promise<HeartbeatAnswer> {
  const key: LeaseKey = { chunkId, nodeId: node.id, leaseNumber: request.leaseNumber };
  const { leaseMs } = gateway;
  try {
    const { studioId, jobId, ...answer } = await database.singly((statements) =>
      heartbeat(statements, { ...key, leaseMs, progress: request.progress }),
    );
    const data = request.log.map((line) => ({ node: node.name, line }));
    if (data.length > 0) await database.asService((tx) => appendEvents(tx, { studioId, jobId, type: 'log', data }));
    return answer;
  } catch (error) {
    if (!(error instanceof FarmError && error.code === 'LeaseLost')) throw error;
    return { continue: false, reason: 'lease-lost' as const, receiptsPending: false };
  }
}

/** Addresses to put exactly the announced bytes into the store of the node's site. @throws FarmError `LeaseLost`, `NotFound`, `RequestInvalid` */
export async function announce(
  { database, stores }: ApiDeps,
  node: NodeRow,
  chunkId: string,
  { leaseNumber, unitId, artifacts, head }: AnnounceRequest,
): Promise<AnnounceAnswer> {
  checkArtifacts(artifacts);
  const exr = artifacts.find(({ kind }) => kind === 'exr');
  if (head) checkHead(head, exr?.sizeBytes ?? 0);
  const key: LeaseKey = { chunkId, nodeId: node.id, leaseNumber };
  const studioId = await database.singly((statements) => requireUnitOfLease(statements, key, unitId));
  if (announced.size >= ANNOUNCED_KEPT) announced.clear();
  announced.set(nameOf(key), studioId);
  const { siteId, near: store } = await stores.of(node.siteId);
  const placeOf = async ({ hash, sizeBytes }: { hash: string; sizeBytes: number }) => {
    const stored = await inTime(store.stat(studioId, 'frames', hash), STORE_ANSWER_MS, SILENT_STORE);
    if (stored?.sizeBytes === sizeBytes) return { url: null, headers: {} };
    return store.presignPut({ studioId, kind: 'frames', hash, sizeBytes, expiresSeconds: ADDRESS_SECONDS });
  };
  const isHeadWanted = async (): Promise<boolean> => {
    const where = { studioId, chunkId, siteId };
    return head !== undefined && database.singly((statements) => isAwaited(statements, where));
  };
  const [wanted, puts] = await Promise.all([
    isHeadWanted(),
    Promise.all(
      artifacts.map(async ({ kind, hash, sizeBytes }) => ({ kind, hash, ...(await placeOf({ hash, sizeBytes })) })),
    ),
  ]);
  return { puts, head: head && wanted ? await placeOf(head) : null };
}

/**
 * Takes a delivered unit, after a look at the store: the store itself has checked the bytes against hash and length. With
 * `waitMs` it returns when the unit has been judged, but no later than that.
 * @param gone aborts when the node hangs up
 * @throws FarmError `LeaseLost`, `UnitAlreadyCommitted` (both logged with the job), `HashMismatch`, `NotFound`
 */
export async function report(
  { database, stores, hub }: GatewayDeps,
  node: NodeRow,
  chunkId: string,
  { leaseNumber, unitId, artifacts, measurements, waitMs }: ReportRequest,
  gone: AbortSignal,
): Promise<void> {
  checkArtifacts(artifacts);
  if (!artifacts.some(({ kind }) => kind === 'exr')) {
    throw new FarmError('RequestInvalid', 'A unit is delivered with its EXR.', { field: 'artifacts' });
  }
  const key: LeaseKey = { chunkId, nodeId: node.id, leaseNumber };
  // The record refuses and logs below what came too late; who held the lease once has a right to hear so.
  const studioId = announced.get(nameOf(key)) ?? (await studioOfLease(database, key));
  const { siteId, store } = await stores.of(node.siteId);
  if (studioId === null) await requireOwnAttempt(database, key);
  else {
    const sizes = await Promise.all(
      artifacts.map(({ hash }) => inTime(store.stat(studioId, 'frames', hash), STORE_ANSWER_MS, SILENT_STORE)),
    );
    const lacking = artifacts.find(({ sizeBytes }, index) => sizes[index]?.sizeBytes !== sizeBytes);
    // Once the lease is lost, what lies in the store is none of this node's business any more.
    if (lacking && (await studioOfLease(database, key)) !== null) {
      const { kind, hash, sizeBytes } = lacking;
      throw new FarmError('HashMismatch', `The announced ${kind} is not in the store.`, { kind, hash, sizeBytes });
    }
  }
  const verdict = waitMs > 0 && studioId !== null ? watchForVerdict(hub, studioId, unitId) : null;
  try {
    const { isJudged } = await database.asService((tx) =>
      reportUnit(tx, { ...key, unitId, siteId, artifacts, measurements }),
    );
    if (!isJudged) await verdict?.within(waitMs, gone);
  } finally {
    verdict?.end();
  }
}

/** The studio of a lease that is alive; null for any other. */
async function studioOfLease(database: ApiDeps['database'], key: LeaseKey): Promise<string | null> {
  try {
    return (await database.singly((statements) => requireLease(statements, key))).studioId;
  } catch (error) {
    if (error instanceof FarmError && error.code === 'LeaseLost') return null;
    throw error;
  }
}

/** Ends the lease from the node's side. @throws FarmError `LeaseLost` */
export async function finish(
  { database }: ApiDeps,
  node: NodeRow,
  chunkId: string,
  { leaseNumber, outcome, problem, estimate }: FinishRequest,
): Promise<void> {
  await database.asService((tx) =>
    finishLease(tx, {
      chunkId,
      nodeId: node.id,
      leaseNumber,
      outcome,
      problem: problem && {
        // A node may not make codes up.
        code: isErrorCode(problem.code) ? problem.code : 'RenderFailed',
        message: problem.message.slice(0, 2_000),
        place: plainPlace(problem.place),
      },
      estimate,
    }),
  );
}

function checkArtifacts(artifacts: readonly Artifact[]): void {
  if (new Set(artifacts.map(({ kind }) => kind)).size !== artifacts.length) {
    throw new FarmError('RequestInvalid', 'Each kind of artifact comes once.', { field: 'artifacts' });
  }
  const large = artifacts.find(({ sizeBytes }) => sizeBytes > LARGEST_ARTIFACT_BYTES);
  if (large) {
    throw new FarmError('RequestInvalid', `${large.kind} is larger than ${LARGEST_ARTIFACT_BYTES} bytes.`, {
      field: 'artifacts',
    });
  }
}

/** Only who held a lease once is told that it came too late. @throws FarmError `LeaseLost` */
async function requireOwnAttempt(database: ApiDeps['database'], key: LeaseKey): Promise<void> {
  const attempt = await database.singly((statements) =>
    statements
      .selectFrom('attempts')
      .select('id')
      .where('chunkId', '=', key.chunkId)
      .where('nodeId', '=', key.nodeId)
      .where('leaseNumber', '=', key.leaseNumber)
      .executeTakeFirst(),
  );
  if (attempt) return;
  throw new FarmError('LeaseLost', 'This node never held that lease.', { chunk: key.chunkId });
}

/** What a node says of a place, cut down to what may be shown and kept. */
function plainPlace(place: Record<string, unknown>): FarmError['place'] {
  const plain: FarmError['place'] = {};
  for (const [name, value] of Object.entries(place).slice(0, 20)) {
    if (typeof value === 'string') plain[name.slice(0, 64)] = value.slice(0, 500);
    else if (typeof value === 'number' || typeof value === 'boolean' || value === null)
      plain[name.slice(0, 64)] = value;
  }
  return plain;
}
