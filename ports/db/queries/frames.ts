/** Frames of a job, page by page. */
import { sql } from 'kysely';
import { FarmError } from '../../../domain/errors.ts';
import type { UnitStatus } from '../../../domain/statuses.ts';
import type { Statements, Tx } from '../client.ts';
import type { JobRow, UnitRow } from '../tables.ts';

export interface FrameRow extends UnitRow {
  /** Name of the layer. */
  layer: string;
  /** Name of the node that holds or rendered it. */
  node: string | null;
  /** When the studio acknowledged it. */
  deliveredAt: Date | null;
}

export interface FramesPageInput {
  jobId: string;
  /** `nextCursor` of the page before. */
  cursor?: string | null | undefined;
  limit: number;
  status?: UnitStatus | readonly UnitStatus[] | undefined;
}

/** Position in a job's frames: frame, layer, take, tile. Opaque to clients. */
type Position = [frame: number, layerId: string, take: number, tile: number];

const encode = (position: Position): string => Buffer.from(JSON.stringify(position)).toString('base64url');

function decode(cursor: string): Position {
  try {
    const position = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as Position;
    const [frame, layerId, take, tile] = position;
    if ([frame, take, tile].every(Number.isInteger) && /^[0-9a-f-]{36}$/.test(layerId)) return position;
  } catch {
    // Falls through: any other text is refused alike.
  }
  throw new FarmError('RequestInvalid', 'The cursor is not one of ours.', { field: 'cursor' });
}

/** What a job's files are named after, without its lists of files. */
export interface NamedJob extends Pick<JobRow, 'id' | 'name' | 'settings'> {
  /** As the job was submitted with. */
  template: string;
  /** Number of the project's version; null before there is one. */
  version: number | null;
}

/** Null when there is no such job that the caller may see. */
export async function namedJob(statements: Statements, jobId: string): Promise<NamedJob | null> {
  const { rows } = await sql<NamedJob>`
    SELECT j.id, j.name, j.settings, j.submission ->> 'template' AS template,
      (SELECT v.number FROM project_versions AS v WHERE v.studio_id = j.studio_id AND v.id = j.version_id) AS version
    FROM jobs AS j WHERE j.id = ${jobId}`.execute(statements);
  return rows[0] ?? null;
}

/** The units of a job with layer and node by name, for a reader to narrow down. */
const unitsOfJob = (tx: Tx, jobId: string) =>
  tx
    .selectFrom('units as u')
    .innerJoin('layers as l', (join) => join.onRef('l.studioId', '=', 'u.studioId').onRef('l.id', '=', 'u.layerId'))
    .leftJoin('nodes as n', 'n.id', 'u.nodeId')
    .leftJoin('deliveries as d', (join) => join.onRef('d.studioId', '=', 'u.studioId').onRef('d.unitId', '=', 'u.id'))
    .selectAll('u')
    .select(['l.name as layer', 'n.name as node', 'd.deliveredAt'])
    .where('u.studioId', '=', (job) => job.selectFrom('jobs').select('jobs.studioId').where('jobs.id', '=', jobId))
    .where('u.jobId', '=', jobId);

/**
 * A page of a job's units in frame order, with layer and node by name, and the cursor of the next page.
 * @throws FarmError `RequestInvalid` for a cursor that no page answered
 */
export async function framesPage(
  tx: Tx,
  { jobId, cursor, limit, status }: FramesPageInput,
): Promise<{ items: FrameRow[]; nextCursor: string | null }> {
  let query = unitsOfJob(tx, jobId)
    .orderBy('u.frame')
    .orderBy('u.layerId')
    .orderBy('u.take')
    .orderBy('u.tile')
    .limit(limit + 1);
  if (cursor) {
    const [frame, layerId, take, tile] = decode(cursor);
    query = query.where(
      sql<boolean>`(u.frame, u.layer_id, u.take, u.tile) > (${frame}::int, ${layerId}::uuid, ${take}::int, ${tile}::int)`,
    );
  }
  if (status) query = query.where('u.status', 'in', typeof status === 'string' ? [status] : [...status]);
  const rows = await query.execute();
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? encode([last.frame, last.layerId, last.take, last.tile]) : null };
}

/** One unit with layer and node by name, or null. */
export async function getFrame(tx: Tx, unitId: string): Promise<FrameRow | null> {
  const row = await tx
    .selectFrom('units as u')
    .innerJoin('layers as l', (join) => join.onRef('l.studioId', '=', 'u.studioId').onRef('l.id', '=', 'u.layerId'))
    .leftJoin('nodes as n', 'n.id', 'u.nodeId')
    .leftJoin('deliveries as d', (join) => join.onRef('d.studioId', '=', 'u.studioId').onRef('d.unitId', '=', 'u.id'))
    .selectAll('u')
    .select(['l.name as layer', 'n.name as node', 'd.deliveredAt'])
    .where('u.id', '=', unitId)
    .executeTakeFirst();
  return row ?? null;
}

/** A frame with the sites that hold further copies of its files. */
export interface CopiedFrameRow extends FrameRow {
  copies: { hash: string; siteId: string }[];
}

/** Those of the named units that are the job's and committed, in no order. */
export async function committedUnits(
  tx: Tx,
  { jobId, unitIds }: { jobId: string; unitIds: readonly string[] },
): Promise<CopiedFrameRow[]> {
  return unitsOfJob(tx, jobId)
    .select(
      sql<CopiedFrameRow['copies']>`(
        SELECT coalesce(json_agg(json_build_object('hash', c.hash, 'siteId', c.site_id)), '[]') FROM object_copies AS c
        WHERE c.studio_id = u.studio_id AND c.kind = 'frames'
          AND c.hash IN (SELECT a ->> 'hash' FROM jsonb_array_elements(u.artifacts) AS a))`.as('copies'),
    )
    .where('u.id', '=', sql<string>`ANY (${[...unitIds]}::uuid[])`)
    .where('u.status', '=', 'committed')
    .execute();
}

/** Those of the named units that are the job's, lie in a store and are being judged, in no order; none of a job that has ended. */
export async function judgedUnits(
  tx: Tx,
  { jobId, unitIds }: { jobId: string; unitIds: readonly string[] },
): Promise<FrameRow[]> {
  return unitsOfJob(tx, jobId)
    .where('u.id', '=', sql<string>`ANY (${[...unitIds]}::uuid[])`)
    .where('u.status', 'in', ['uploaded', 'verified'])
    .where(sql<boolean>`EXISTS (SELECT FROM jobs AS j WHERE j.studio_id = u.studio_id AND j.id = u.job_id
      AND j.status IN ('active', 'paused'))`)
    .execute();
}

/** The committed units of a job in frame order: what assemble puts together and an invoice bills. */
export async function committedFrames(tx: Tx, jobId: string): Promise<FrameRow[]> {
  return unitsOfJob(tx, jobId)
    .where('u.status', '=', 'committed')
    .orderBy('u.frame')
    .orderBy('u.layerId')
    .orderBy('u.take')
    .orderBy('u.tile')
    .execute();
}
