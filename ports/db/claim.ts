/** The match: which node takes which chunk is decided here, when a node asks, with all that is known then. */
import { sql } from 'kysely';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { Blob } from '../../domain/projectFiles.ts';
import type { InspectedSequence, RenderSettings } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import { failuresOf } from './attempts.ts';
import type { Statements, Tx } from './client.ts';
import type { StoredFile } from './documents.ts';
import { appendEventWith, CHANNELS } from './events.ts';
import { type JobToLease, leaseFiles, lockJobToLease, type WaitingUnit } from './leaseFiles.ts';
import { pauseForBudget, reserving } from './money.ts';
import { receiptsPending } from './receipts.ts';
import type { ChunkRow, NodeRow } from './tables.ts';
import { takeOverChunk } from './takeOver.ts';

export interface ClaimInput {
  /** The node that asks, as `hearNode` answered it. */
  node: Pick<NodeRow, 'id' | 'name' | 'status' | 'labels'>;
  /** Hashes of blobs that the node holds. */
  cachedHashes: readonly string[];
  /** How long the lease lives without a heartbeat, milliseconds. */
  leaseMs: number;
  /** A node that failed a job this often gets no more of it; a job's own policy goes before. */
  failuresPerNode?: number | undefined;
}

export interface ClaimedLease {
  studioId: string;
  jobId: string;
  jobName: string;
  chunkId: string;
  kind: 'estimate' | 'render';
  index: number;
  leaseNumber: number;
  leaseMs: number;
  main: string;
  /** Null: the shot is one file; undefined: not known. */
  sequence: InspectedSequence | null | undefined;
  /** What its frames read and no more: those of every frame first, `sharedFiles` of them. */
  files: StoredFile[];
  sharedFiles: number;
  /** What those files are made of, in the order of need. */
  blobs: Blob[];
  settings: RenderSettings;
  /**
   * Units reserved for this lease, in the order to render them; none for an estimate. `files`: what a unit reads beside the
   * shared, as positions in the lease's `files`.
   */
  units: { unitId: string; frame: number; tile: number; take: number; price: bigint; files: number[] }[];
  estimateFrames: number[];
  /** Frames of the whole job; null where they are not known yet. */
  jobFrameCount: number | null;
}

/** What a node that asks for work can know without looking for any. */
export interface Outlook {
  /** As it is now: an operator may have drained it while it waited. */
  node: NodeRow;
  receiptsPending: boolean;
  /** Some chunk is on offer, whether for this node or not. */
  isOffered: boolean;
}

/** The node's row and whether there is reason to look further, in one statement. */
export async function outlook(statements: Statements, nodeId: string): Promise<Outlook | null> {
  const row = await statements
    .selectFrom('nodes')
    .selectAll()
    .select([
      receiptsPending(nodeId).as('receiptsPending'),
      sql<boolean>`EXISTS (SELECT FROM chunks WHERE chunks.status = 'offered')`.as('isOffered'),
    ])
    .where('id', '=', nodeId)
    .executeTakeFirst();
  if (!row) return null;
  const { receiptsPending: pending, isOffered, ...node } = row;
  return { node, receiptsPending: pending, isOffered };
}

/**
 * Gives a node its next chunk (transaction as the farm itself, `asService`).
 *
 * Invariants kept here:
 * - *one chunk, one node*: the pick locks the chunk (`SKIP LOCKED`: whoever comes second takes another one) and the lease
 *   number rises, so what an earlier holder sends is told apart;
 * - *cap ≥ reserved + spent*: under the job's lock, as many units are reserved as fit; the lease holds only those;
 * - a chunk goes to a node that avoids it only when no other online node fits.
 *
 * @returns the lease; null when nothing fits this node now; `{ budget: true }` when the best chunk's job was paused because
 * not one more unit fits below its cap (ask again: another job may have work)
 */
export async function claimChunk(tx: Tx, input: ClaimInput): Promise<ClaimedLease | null | { budget: true }> {
  if (input.node.status !== 'online') return null;
  const failuresPerNode = input.failuresPerNode ?? DEFAULT_POLICY.failuresPerNode;
  const chunk = (await pick(tx, input)) ?? (await takeOverChunk(tx, { node: input.node, failuresPerNode }));
  if (!chunk) return null;
  const job = await lockJobToLease(tx, chunk);
  // The pick read the job without a lock; pause and cancel may have come first.
  if (job.status !== (chunk.kind === 'estimate' ? 'preparing' : 'active')) return null;
  const units = chunk.kind === 'render' ? affordable(job) : [];
  const unaffordable = units.find((unit) => !unit.fits);
  if (unaffordable && unaffordable === units[0]) {
    await pauseForBudget(tx, job, unaffordable.price);
    return { budget: true };
  }
  const taken = units.filter((unit) => unit.fits);
  if (chunk.kind === 'render' && taken.length === 0) return null;
  return lease(tx, input, chunk, job, taken);
}

/**
 * The best chunk on offer for this node, locked, in one statement. Calibrations first; then by priority (5 before 1); then
 * the studio, then the job, with the fewest chunks under way; then where most data is at the node; then the older job;
 * within a job in the plan's order. What the studio pinned binds, a chunk's placement does until it has failed somewhere.
 */
async function pick(
  tx: Tx,
  { node, cachedHashes, failuresPerNode = DEFAULT_POLICY.failuresPerNode }: ClaimInput,
): Promise<ChunkRow | undefined> {
  const { rows } = await sql<ChunkRow>`
    WITH here AS MATERIALIZED (SELECT site_id FROM nodes WHERE id = ${node.id}), candidates AS MATERIALIZED (
      SELECT j.studio_id, j.id, j.status, j.priority, j.created_at, j.placement, here.site_id, limits.failures,
        (SELECT count(*) FROM chunks AS l WHERE l.status = 'leased' AND l.studio_id = j.studio_id) AS studio_load,
        (SELECT count(*) FROM chunks AS l WHERE l.status = 'leased' AND l.job_id = j.id) AS job_load,
        (SELECT coalesce(sum(b.size_bytes), 0) FROM version_blobs AS v JOIN blobs AS b USING (studio_id, hash)
          WHERE v.studio_id = j.studio_id AND v.version_id = j.version_id AND v.hash = ANY (${[...cachedHashes]}::text[])
        ) AS cached_bytes
      FROM here, jobs AS j,
        LATERAL (SELECT coalesce((j.policy ->> 'failuresPerNode')::int, ${failuresPerNode}::int) AS failures) AS limits
      WHERE j.status IN ('preparing', 'active')
        AND may_render(j.placement, here.site_id)
        AND EXISTS (SELECT FROM chunks AS o WHERE o.status = 'offered' AND o.job_id = j.id)
        AND ${failuresOf(sql`j.id`, sql`${node.id}`)} < limits.failures
    )
    SELECT c.* FROM chunks AS c JOIN candidates AS j ON j.studio_id = c.studio_id AND j.id = c.job_id
    WHERE c.status = 'offered'
      AND j.status = CASE c.kind WHEN 'estimate' THEN 'preparing' ELSE 'active' END
      AND (c.site_id IS NULL OR c.site_id = j.site_id OR cardinality(c.avoid) > 0)
      AND meets(${JSON.stringify(node.labels)}::jsonb, c.needs)
      AND (c.kind = 'estimate' OR EXISTS (SELECT FROM units AS u WHERE u.chunk_id = c.id AND u.status = 'offered'))
      AND (${node.id} <> ALL (c.avoid) OR NOT EXISTS (
        SELECT FROM nodes AS other WHERE other.status = 'online' AND other.id <> ALL (c.avoid) AND meets(other.labels, c.needs)
          AND may_render(j.placement, other.site_id)
          AND ${failuresOf(sql`c.job_id`, sql`other.id`)} < j.failures))
    ORDER BY c.kind = 'estimate' DESC, j.priority DESC, j.studio_load, j.job_load, j.cached_bytes DESC, j.created_at, j.id,
      c.index
    LIMIT 1
    FOR NO KEY UPDATE OF c SKIP LOCKED`.execute(tx);
  return rows[0];
}

/** The chunk's units that wait, each with whether it still fits below the cap after those before it. */
function affordable({ cap, reserved, spent, waiting }: JobToLease): (WaitingUnit & { fits: boolean })[] {
  let left = cap - reserved - spent;
  return waiting.map((unit) => {
    left -= unit.price;
    return { ...unit, fits: left >= 0n };
  });
}

async function lease(
  tx: Tx,
  { node, leaseMs }: ClaimInput,
  chunk: ChunkRow,
  job: JobToLease,
  units: WaitingUnit[],
): Promise<ClaimedLease> {
  const { studioId, jobId, id: chunkId, kind, index } = chunk;
  const leaseNumber = chunk.leaseNumber + 1;
  const amount = units.reduce((sum, { price }) => sum + price, 0n);
  const data = {
    chunkId,
    index,
    nodeId: node.id,
    node: node.name,
    leaseNumber,
    frames: units.map(({ frame }) => frame),
  };
  const reservation = reserving(job, amount, `lease:${chunkId}:${leaseNumber}`);
  // Chunk, units and job are under our locks.
  await appendEventWith(
    tx,
    { studioId, jobId, type: 'chunk.leased', data },
    {
      changes: [
        ...reservation.changes,
        sql`leased AS (
          UPDATE chunks SET status = 'leased', lease_number = ${leaseNumber}, node_id = ${node.id},
            lease_ends_at = clock_timestamp() + make_interval(secs => ${leaseMs / 1000})
          WHERE studio_id = ${studioId} AND id = ${chunkId})`,
        sql`taken AS (
          UPDATE units SET status = 'leased', lease_number = ${leaseNumber}, node_id = ${node.id}, reserved = true
          WHERE studio_id = ${studioId} AND id = ANY (${units.map(({ id }) => id)}::uuid[]))`,
        sql`begun AS (
          INSERT INTO attempts (studio_id, job_id, chunk_id, lease_number, node_id, started_at)
          VALUES (${studioId}, ${jobId}, ${chunkId}, ${leaseNumber}, ${node.id}, clock_timestamp()))`,
      ],
      job: reservation.job,
      notices: [[CHANNELS.chunk, chunkId]],
    },
  );
  const frames = kind === 'estimate' ? chunk.estimateFrames : units.map(({ frame }) => frame);
  const { files, sharedFiles, ofFrame, blobs, sequence } = leaseFiles(job, job.rules, frames);
  return {
    // What is on offer is never of the cache.
    kind: kind === 'estimate' ? 'estimate' : 'render',
    ...{ studioId, jobId, jobName: job.name, chunkId, index, leaseNumber, leaseMs },
    main: job.submission.main,
    ...{ files, sharedFiles, blobs, sequence },
    settings: completeSettings(job.settings),
    units: units.map(({ id, frame, tile, take, price }) => ({
      ...{ unitId: id, frame, tile, take, price },
      files: ofFrame.get(frame) ?? [],
    })),
    estimateFrames: chunk.estimateFrames,
    jobFrameCount: job.frameCount,
  };
}
