/** From frames that are to be rendered to chunks with sites. */
import { chunkFrames } from '../../domain/chunking.ts';
import { LAYERS } from '../../domain/layers.ts';
import { barredBy, NO_WISH, placeJob } from '../../domain/placement.ts';
import { blobsOfFiles, partsOf } from '../../domain/projectFiles.ts';
import type { RenderSettings, SceneInspection } from '../../domain/scene.ts';
import { frameFiles } from '../../domain/sceneFrames.ts';
import type { Tx } from '../../ports/db/client.ts';
import { type HostRequirements, json, type VersionManifest } from '../../ports/db/documents.ts';
import { copiesOf, type PlacementDocument, sitesNow } from '../../ports/db/placement.ts';
import type { JobRow } from '../../ports/db/tables.ts';

export interface FramesToPlace {
  job: Pick<JobRow, 'id' | 'studioId' | 'placement'>;
  frames: readonly number[];
  manifest: VersionManifest;
  inspection: Pick<SceneInspection, 'sequence' | 'frameFiles'>;
  settings: RenderSettings;
  needs: HostRequirements;
  secondsAtScoreOne: number;
  now: Date;
}

/** A chunk in the order to offer it in; `siteId` null: anywhere. */
export interface ChunkToPlan {
  frames: number[];
  siteId: string | null;
}

/**
 * Cuts the frames into chunks and places them, and keeps the decision with its figures at the job. Where there is no choice
 * (one site or none with nodes that fit) chunks go anywhere they may.
 */
export async function placeFrames(tx: Tx, input: FramesToPlace): Promise<ChunkToPlan[]> {
  const { job, frames, settings, needs, secondsAtScoreOne, now } = input;
  if (frames.length === 0) return [];
  const kept = job.placement as PlacementDocument;
  const wish = kept.wish ?? NO_WISH;
  const sites = await sitesNow(tx, { needs, jobId: job.id });
  const able = sites.filter((site) => site.slots > 0 && barredBy(site, wish) === null);
  const { inputs, blobBytes } = inputsOfFrames(input);
  const placement = placeJob({
    ...{ sites, wish, frames: inputs, blobBytes, renderSeconds: secondsAtScoreOne, backBytes: frameBytes(settings) },
    copies: await copiesOf(tx, job.studioId, [...blobBytes.keys()]),
  });
  const { wish: _, chunks, load, ...decision } = placement;
  const document: PlacementDocument = { ...kept, load, decision: { ...decision, at: now.toISOString() } };
  await tx
    .updateTable('jobs')
    .set({ placement: json({ ...document }) })
    .where('studioId', '=', job.studioId)
    .where('id', '=', job.id)
    .execute();
  if (chunks.length > 0)
    return chunks.map(({ frames, siteId }) => ({ frames, siteId: able.length > 1 ? siteId : null }));
  const anywhere = chunkFrames({ frames, estimateSeconds: secondsAtScoreOne, fittingSlots: 0 });
  return anywhere.map((frames) => ({ frames, siteId: null }));
}

/** The blobs that each frame reads. */
function inputsOfFrames({ frames, manifest, inspection, settings }: FramesToPlace) {
  const { files, blobs } = manifest;
  const blobBytes = new Map(blobsOfFiles(files, blobs).map(({ hash, sizeBytes }) => [hash, sizeBytes]));
  const byPath = new Map(files.map((file) => [file.path, partsOf(file).map(({ blob }) => blob)]));
  const filesOf = frameFiles(inspection, settings);
  const inputs = frames.map((frame) => ({
    frame,
    blobs: [...new Set(filesOf(frame).flatMap((path) => byPath.get(path) ?? []))],
  }));
  return { inputs, blobBytes };
}

/** Share of a picture's bytes that lossless compression leaves; rendered pictures are noisy. */
const COMPRESSED_SHARE = 0.7;

/** About how long a frame's file will be. */
export function frameBytes({ width, height, output }: Pick<RenderSettings, 'width' | 'height' | 'output'>): number {
  const bytesPerPixel = output.layers.reduce((sum, name) => {
    const { channels, type } = LAYERS[name];
    return sum + channels.length * (type === 'float' || output.floatLayers.includes(name) ? 4 : 2);
  }, 0);
  return width * height * bytesPerPixel * (output.compression === 'none' ? 1 : COMPRESSED_SHARE);
}
