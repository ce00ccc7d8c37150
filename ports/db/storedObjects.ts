/** What the record says lies in the stores, and who names it. Needs the farm's own transaction (`asService`). */
import { sql } from 'kysely';
import { placesOfBlob } from '../../domain/projectFiles.ts';
import type { ObjectKind } from '../store/objectStore.ts';
import type { Tx } from './client.ts';

/** An object that must lie whole at a place. */
export interface StoredObject {
  studioId: string;
  kind: ObjectKind;
  hash: string;
  /** Null: home. */
  siteId: string | null;
  /** A copy beside the one of record: it may be given up. */
  copy: boolean;
}

/** The next objects after one, in a fixed order; null begins. */
export async function nextStoredObjects(tx: Tx, after: StoredObject | null, limit: number): Promise<StoredObject[]> {
  const order = sql`studio_id, kind, hash, coalesce(site_id::text, ''), copy`;
  const from = after
    ? sql`WHERE (${order}) > (${after.studioId}::uuid, ${after.kind}, ${after.hash}, ${after.siteId ?? ''}, ${after.copy})`
    : sql``;
  const { rows } = await sql<StoredObject>`
    SELECT studio_id, kind, hash, site_id, copy FROM stored_objects ${from} ORDER BY ${order} LIMIT ${limit}`.execute(
    tx,
  );
  return rows;
}

/** Where else the same bytes should lie: home first, then sites. */
export async function otherPlaces(tx: Tx, { studioId, kind, hash, siteId }: StoredObject): Promise<(string | null)[]> {
  const { rows } = await sql<{ siteId: string | null }>`
    SELECT DISTINCT site_id FROM stored_objects WHERE studio_id = ${studioId} AND kind = ${kind} AND hash = ${hash}`.execute(
    tx,
  );
  const sites = rows.map((row) => row.siteId).filter((site) => site !== null);
  return [null, ...sites].filter((site) => site !== siteId);
}

/** A copy is not there any more. */
export async function forgetCopy(tx: Tx, { studioId, kind, hash, siteId }: StoredObject): Promise<void> {
  await sql`DELETE FROM object_copies WHERE studio_id = ${studioId} AND kind = ${kind} AND hash = ${hash}
    AND site_id = ${siteId}`.execute(tx);
}

/** Bytes that cannot be had any more must not be served: entries of the frame cache that stand for them go. */
export async function dropCachedFile(tx: Tx, { studioId, hash }: StoredObject): Promise<void> {
  await sql`DELETE FROM frame_cache WHERE studio_id = ${studioId} AND artifacts @> ${JSON.stringify([{ hash }])}::jsonb
    `.execute(tx);
}

/** Who names an object: a file of a project, a frame of a job or an output of one. */
export interface Namer {
  /** Name of the project or job. */
  name: string;
  /** Version of a project, id of a job. */
  of: string;
  /** Path in the project, `frame 12 (exr)`, or the output's name. */
  path: string;
  /** Where in that file the object's bytes begin. */
  offset: number;
}

/** Versions and jobs that are looked at, newest first. */
const NAMERS = 20;

/** Who names it, the newest first; not all where they are many. */
export async function namersOf(tx: Tx, object: StoredObject): Promise<Namer[]> {
  const { studioId, kind, hash } = object;
  if (kind === 'blobs') {
    const versions = await tx
      .selectFrom('versionBlobs as b')
      .innerJoin('projectVersions as v', (join) =>
        join.onRef('v.studioId', '=', 'b.studioId').onRef('v.id', '=', 'b.versionId'),
      )
      .innerJoin('projects as p', (join) =>
        join.onRef('p.studioId', '=', 'v.studioId').onRef('p.id', '=', 'v.projectId'),
      )
      .select(['p.name', 'v.number', 'v.manifest'])
      .where('b.studioId', '=', studioId)
      .where('b.hash', '=', hash)
      .orderBy('v.id', 'desc')
      .limit(NAMERS)
      .execute();
    return versions.flatMap(({ name, number, manifest }) =>
      placesOfBlob(manifest.files, hash).map(({ path, offset }) => ({ name, of: `v${number}`, path, offset })),
    );
  }
  const { rows } = await sql<{ name: string; of: string; path: string }>`
    SELECT j.name, j.id AS of, format('frame %s (%s)', u.frame, a ->> 'kind') AS path
    FROM units AS u JOIN jobs AS j ON j.studio_id = u.studio_id AND j.id = u.job_id, jsonb_array_elements(u.artifacts) AS a
    WHERE u.studio_id = ${studioId} AND ${kind} = 'frames' AND a ->> 'hash' = ${hash}
    UNION ALL
    SELECT j.name, j.id, o ->> 'name' FROM jobs AS j, jsonb_path_query(j.outputs, '$.*') AS o
    WHERE j.studio_id = ${studioId} AND ${kind} = 'outputs' AND o ->> 'hash' = ${hash}
    ORDER BY of DESC LIMIT ${NAMERS}`.execute(tx);
  return rows.map((row) => ({ ...row, offset: 0 }));
}
