/** What the keeper of a chunk looks at. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { ChunkStatus, UnitStatus } from '../../domain/statuses.ts';
import type { Statements, Tx } from './client.ts';
import type {
  EstimateDocument,
  ProblemDocument,
  UnitArtifact,
  UnitMeasurements,
  UnitRefusal,
  UnitWarning,
} from './documents.ts';
import type { ChunkRow, JobRow } from './tables.ts';

/** A unit as its chunk's keeper sees it. */
export interface ChunkUnit {
  unitId: string;
  frame: number;
  take: number;
  tile: number;
  status: UnitStatus;
  price: bigint;
  leaseNumber: number | null;
  /** Site whose store holds the artifacts; null: home. */
  siteId: string | null;
  nodeId: string | null;
  artifacts: UnitArtifact[] | null;
  measurements: UnitMeasurements | null;
  warnings: UnitWarning[];
  refusals: UnitRefusal[];
}

export interface ChunkState {
  studioId: string;
  jobId: string;
  chunkId: string;
  kind: ChunkRow['kind'];
  index: number;
  status: ChunkStatus;
  leaseNumber: number;
  nodeId: string | null;
  leaseEndsAt: Date | null;
  /** The lease has run out by the database's clock and nobody has taken it back yet. */
  expired: boolean;
  avoid: string[];
  units: ChunkUnit[];
  result: EstimateDocument | null;
  problem: ProblemDocument | null;
  /** Ended attempts, by how they ended. */
  attempts: { failed: number; lost: number; handedBack: number; completed: number; cancelled: number };
}

/**
 * All that the keeper of a chunk (dispatch) has to know.
 * @throws FarmError `NotFound`
 */
export async function chunkState(tx: Tx, chunkId: string): Promise<ChunkState> {
  const chunk = await tx
    .selectFrom('chunks')
    .selectAll()
    .select(sql<boolean>`status = 'leased' AND lease_ends_at <= clock_timestamp()`.as('expired'))
    .where('id', '=', chunkId)
    .executeTakeFirst();
  if (!chunk) throw new FarmError('NotFound', `There is no chunk ${chunkId}.`, { chunk: chunkId });
  const { studioId, jobId, kind, index, status, leaseNumber, nodeId, leaseEndsAt, expired, avoid, result, problem } =
    chunk;
  const units = await tx
    .selectFrom('units')
    .select([
      'id as unitId',
      ...([
        'frame',
        'take',
        'tile',
        'status',
        'price',
        'leaseNumber',
        'nodeId',
        'siteId',
        'artifacts',
        'measurements',
      ] as const),
      ...(['warnings', 'refusals'] as const),
    ])
    .where('studioId', '=', studioId)
    .where('chunkId', '=', chunkId)
    .orderBy('frame')
    .orderBy('take')
    .orderBy('tile')
    .execute();
  const outcomes = await tx
    .selectFrom('attempts')
    .select(['outcome', sql<number>`count(*)`.as('count')])
    .where('studioId', '=', studioId)
    .where('chunkId', '=', chunkId)
    .groupBy('outcome')
    .execute();
  const ended = (outcome: string): number => outcomes.find((row) => row.outcome === outcome)?.count ?? 0;
  return {
    ...{
      studioId,
      jobId,
      chunkId,
      kind,
      index,
      status,
      leaseNumber,
      nodeId,
      leaseEndsAt,
      expired,
      avoid,
      result,
      problem,
    },
    units,
    attempts: {
      failed: ended('failed'),
      lost: ended('lost'),
      handedBack: ended('handed-back'),
      completed: ended('completed'),
      cancelled: ended('cancelled'),
    },
  };
}

/** A unit that waits for verify. */
export type DeliveredUnit = Pick<ChunkUnit, 'unitId' | 'frame' | 'leaseNumber' | 'siteId' | 'nodeId' | 'artifacts'>;

/** What the keeper of a render chunk asks with every ring. */
export interface ChunkGlance {
  studioId: string;
  jobId: string;
  status: ChunkStatus;
  leaseNumber: number;
  nodeId: string | null;
  /** The lease has run out by the database's clock and nobody has taken it back yet. */
  expired: boolean;
  jobStatus: JobRow['status'];
  pauseReason: JobRow['pauseReason'];
  /** In the order of frames. */
  delivered: DeliveredUnit[];
  /** Units that are neither delivered nor committed. */
  open: number;
  /** An attempt failed or was lost, or a frame was refused. */
  troubled: boolean;
}

/**
 * The state of a render chunk in one statement, without what has been settled.
 * @throws FarmError `NotFound`
 */
export async function glanceAtChunk(statements: Statements, chunkId: string): Promise<ChunkGlance> {
  const { rows } = await sql<ChunkGlance>`
    SELECT c.studio_id, c.job_id, c.status, c.lease_number, c.node_id, j.status AS job_status, j.pause_reason,
      c.status = 'leased' AND c.lease_ends_at <= clock_timestamp() AS expired, u.delivered, u.open,
      u.refused OR EXISTS (SELECT FROM attempts AS a
        WHERE a.studio_id = c.studio_id AND a.chunk_id = c.id AND a.outcome IN ('failed', 'lost')) AS troubled
    FROM chunks AS c JOIN jobs AS j ON j.studio_id = c.studio_id AND j.id = c.job_id, LATERAL (
      SELECT count(*) FILTER (WHERE status NOT IN ('uploaded', 'verified', 'committed')) AS open,
        coalesce(bool_or(refusals <> '[]'), false) AS refused,
        coalesce(jsonb_agg(jsonb_build_object('unitId', id, 'frame', frame, 'leaseNumber', lease_number,
          'siteId', site_id, 'nodeId', node_id, 'artifacts', artifacts) ORDER BY frame, take, tile)
          FILTER (WHERE status IN ('uploaded', 'verified')), '[]') AS delivered
      FROM units WHERE studio_id = c.studio_id AND chunk_id = c.id) AS u
    WHERE c.id = ${chunkId}`.execute(statements);
  const glance = rows[0];
  if (!glance) throw new FarmError('NotFound', `There is no chunk ${chunkId}.`, { chunk: chunkId });
  return glance;
}
