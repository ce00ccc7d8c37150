/** How the chunks of a job come into being. */
import { sql } from 'kysely';
import type { Tx } from './client.ts';
import { type EstimateDocument, type HostRequirements, json } from './documents.ts';
import { lockJobState } from './locks.ts';

interface PlannedChunk {
  /** Position in the job, from 0. */
  index: number;
  frames: readonly number[];
  /** Of the whole chunk, on a node of score 1. */
  estimateSeconds: number;
  needs?: HostRequirements | undefined;
  /** Where it shall be rendered; null: anywhere. */
  siteId?: string | null | undefined;
}

export interface PlanInput {
  jobId: string;
  /** Name of the layer; made when missing. */
  layer: string;
  chunks: readonly PlannedChunk[];
  /** Base units for each unit. */
  unitPrice: bigint;
  /** By frame, the half of its key in the frame cache; a frame without one is not kept there. */
  inputHashes?: ReadonlyMap<number, string> | undefined;
}

/**
 * Writes chunks and one unit for each of their frames (take 1, tile 0), status `planned`. May be repeated, also in parts:
 * a chunk whose index is there already stays as it is.
 * @returns ids of the chunks, in the order of `chunks`
 * @throws FarmError `JobNotFound`
 */
export async function insertPlan(
  tx: Tx,
  { jobId, layer, chunks, unitPrice, inputHashes }: PlanInput,
): Promise<string[]> {
  const { studioId, chainId, contract, token, tokenDecimals } = await lockJobState(tx, jobId);
  const layerId = await ensureLayer(tx, { studioId, jobId, name: layer });
  const plan = json(
    chunks.map(({ index, frames, estimateSeconds, needs, siteId }) => ({
      ...{ index, estimateSeconds, needs: needs ?? {}, siteId: siteId ?? null },
      frames: frames.map((frame) => ({ frame, input: inputHashes?.get(frame) ?? null })),
    })),
  );
  await sql`
    WITH plan AS (
      SELECT (c ->> 'index')::int AS index, c -> 'frames' AS frames, c -> 'needs' AS needs,
        (c ->> 'estimateSeconds')::double precision AS estimate_seconds, (c ->> 'siteId')::uuid AS site_id
      FROM jsonb_array_elements(${plan}::jsonb) AS c
    ), made AS (
      INSERT INTO chunks (studio_id, job_id, layer_id, kind, index, status, needs, estimate_seconds, site_id)
      SELECT ${studioId}, ${jobId}, ${layerId}, 'render', index, 'planned', needs, estimate_seconds, site_id FROM plan
      ON CONFLICT (studio_id, job_id, kind, index) DO NOTHING
      RETURNING id, index
    )
    INSERT INTO units (studio_id, job_id, layer_id, chunk_id, frame, status, chain_id, contract, token, token_decimals, price,
      input_hash)
    SELECT ${studioId}, ${jobId}, ${layerId}, made.id, (f ->> 'frame')::int, 'planned', ${chainId}, ${contract}, ${token},
      ${tokenDecimals}, ${unitPrice}, f ->> 'input'
    FROM made JOIN plan USING (index), jsonb_array_elements(plan.frames) AS f`.execute(tx);
  const rows = await tx
    .selectFrom('chunks')
    .select(['id', 'index'])
    .where('studioId', '=', studioId)
    .where('jobId', '=', jobId)
    .where('kind', '=', 'render')
    .execute();
  const idOf = new Map(rows.map(({ id, index }) => [index, id]));
  return chunks.map(({ index }) => idOf.get(index) as string);
}

/** Id of the job's layer of that name; made when missing. */
export async function ensureLayer(tx: Tx, layer: { studioId: string; jobId: string; name: string }): Promise<string> {
  await tx
    .insertInto('layers')
    .values(layer)
    .onConflict((conflict) => conflict.columns(['studioId', 'jobId', 'name']).doNothing())
    .execute();
  const { id } = await tx
    .selectFrom('layers')
    .select('id')
    .where('studioId', '=', layer.studioId)
    .where('jobId', '=', layer.jobId)
    .where('name', '=', layer.name)
    .executeTakeFirstOrThrow();
  return id;
}

export interface EstimateChunkInput {
  jobId: string;
  /** Frames to calibrate with. */
  frames: readonly number[];
  needs?: HostRequirements | undefined;
  /** An answer that is known already: the chunk is completed with it, no node is asked. */
  result?: EstimateDocument | undefined;
}

/**
 * The chunk that calibrates before the quote: no units, no price. While one is waiting, running or done it is answered
 * again; after a failed one the next call makes another.
 */
export async function insertEstimateChunk(
  tx: Tx,
  { jobId, frames, needs, result }: EstimateChunkInput,
): Promise<string> {
  const job = await lockJobState(tx, jobId);
  const newest = await tx
    .selectFrom('chunks')
    .select(['id', 'index', 'status'])
    .where('studioId', '=', job.studioId)
    .where('jobId', '=', jobId)
    .where('kind', '=', 'estimate')
    .orderBy('index', 'desc')
    .executeTakeFirst();
  if (newest && newest.status !== 'failed' && newest.status !== 'cancelled') return newest.id;
  const chunk = await tx
    .insertInto('chunks')
    .values({
      studioId: job.studioId,
      jobId,
      kind: 'estimate',
      index: newest ? newest.index + 1 : 0,
      status: result ? 'completed' : 'planned',
      result: result ? json(result) : null,
      needs: json(needs ?? {}),
      estimateSeconds: 0,
      estimateFrames: [...frames],
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return chunk.id;
}
