/** What the keeper of a chunk looks at. */
import { sql } from 'kysely';
import { FarmError } from '../../domain/errors.ts';
import type { ChunkStatus, UnitStatus } from '../../domain/statuses.ts';
import type { Tx } from './client.ts';
import type {
  EstimateDocument,
  ProblemDocument,
  UnitArtifact,
  UnitMeasurements,
  UnitRefusal,
  UnitWarning,
} from './documents.ts';
import type { ChunkRow } from './tables.ts';

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
