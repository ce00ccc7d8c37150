/** The committed frames of a job with all that is known of them, in frame order. */
import { FarmError } from '../../domain/errors.ts';
import { PICTURE_EXTENSIONS } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import { formatName, parseTemplate } from '../../domain/template.ts';
import type { Tx } from '../../ports/db/client.ts';
import type { StoredFile, UnitArtifact, UnitMeasurements, UnitWarning } from '../../ports/db/documents.ts';
import { getVersion, requireJob } from '../../ports/db/jobs.ts';
import type { JobRow } from '../../ports/db/tables.ts';
import type { JobKey } from '../services.ts';

export interface DeliveredFrame {
  unitId: string;
  layer: string;
  frame: number;
  take: number;
  tile: number;
  /** From the job's template, relative to wherever it is delivered. */
  name: string;
  exr: UnitArtifact;
  preview: UnitArtifact;
  /** In the format that the job chose, under its name; null where that is the preview's. */
  picture: (UnitArtifact & { name: string }) | null;
  measurements: UnitMeasurements;
  warnings: UnitWarning[];
  price: bigint;
  committedAt: Date;
  /** Came from the frame cache: `node` rendered it for an earlier job. */
  cached: boolean;
  /** Site whose store holds the files; null: home. */
  siteId: string | null;
  node: { id: string; name: string; account: string; device: string; engineBuild: string };
}

export interface Delivery {
  job: JobRow;
  version: number;
  /** Files of the project version. */
  files: StoredFile[];
  frames: DeliveredFrame[];
}

/** Reads them. @throws FarmError `JobNotFound` */
export async function readDelivery(tx: Tx, { studioId, jobId }: JobKey): Promise<Delivery> {
  const job = await requireJob(tx, jobId);
  const version = await getVersion(tx, jobId);
  if (!version) throw new FarmError('JobStateConflict', 'The job has no project version yet.', { job: jobId });
  const template = parseTemplate(job.submission.template);
  const pictureExtension = PICTURE_EXTENSIONS[completeSettings(job.settings).output.picture];
  const rows = await tx
    .selectFrom('units as u')
    .innerJoin('layers as l', (join) => join.onRef('l.studioId', '=', 'u.studioId').onRef('l.id', '=', 'u.layerId'))
    .innerJoin('nodes as n', 'n.id', 'u.nodeId')
    .select([
      'u.id',
      'u.frame',
      'u.take',
      'u.tile',
      'u.artifacts',
      'u.measurements',
      'u.warnings',
      'u.price',
      'u.siteId',
      'u.cached',
    ])
    .select(['u.committedAt', 'l.name as layer'])
    .select(['n.id as nodeId', 'n.name as nodeName', 'n.account', 'n.device', 'n.engineBuild'])
    .where('u.studioId', '=', studioId)
    .where('u.jobId', '=', jobId)
    .where('u.status', '=', 'committed')
    .orderBy('l.name')
    .orderBy('u.frame')
    .orderBy('u.take')
    .orderBy('u.tile')
    .execute();
  const frames = rows.map((row): DeliveredFrame => {
    const { frame, take, tile, layer, warnings, price, siteId, cached } = row;
    const named = (ext: string): string =>
      formatName(template, { shot: job.name, layer, version: version.number, frame, ext });
    const picture = row.artifacts!.find(({ kind }) => kind === 'picture');
    return {
      ...{ unitId: row.id, layer, frame, take, tile, warnings, price, siteId, cached },
      name: named('exr'),
      exr: row.artifacts!.find(({ kind }) => kind === 'exr')!,
      preview: row.artifacts!.find(({ kind }) => kind === 'preview')!,
      picture: picture ? { ...picture, name: named(pictureExtension) } : null,
      measurements: row.measurements!,
      committedAt: row.committedAt!,
      node: {
        id: row.nodeId,
        name: row.nodeName,
        account: row.account,
        device: row.device,
        engineBuild: row.engineBuild,
      },
    };
  });
  return { job, version: version.number, files: version.manifest.files, frames };
}
