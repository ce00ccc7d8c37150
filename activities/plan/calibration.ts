/** Which frames a node traces a little of before the quote. */
import { spreadFrames } from '../../domain/frameSeconds.ts';
import { parseFrames } from '../../domain/frames.ts';
import type { SceneInspection } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import { insertEstimateChunk } from '../../ports/db/chunks.ts';
import type { Tx } from '../../ports/db/client.ts';
import type { EstimateDocument } from '../../ports/db/documents.ts';
import { endStage, startStage } from '../../ports/db/stages.ts';
import { type InspectedSubmission, readJob } from '../intake/inspectSubmission.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';
import { lookUpFrames } from './lookUpFrames.ts';
import { needsOf } from './needs.ts';

/**
 * Ends intake, begins plan, and writes down the estimate chunk; nobody can take it before it is offered. A job of which the
 * frame cache holds every frame is not calibrated: the estimate with which the first of them was quoted is its answer.
 */
export async function planCalibration(services: FarmServices, key: JobKey): Promise<{ chunkId: string }> {
  const { frames: range, settings: asked, submission } = await readJob(services, key);
  const { inspection, main, files, cache } = submission as InspectedSubmission;
  const settings = completeSettings(asked);
  const frames = parseFrames(range!);
  const needs = needsOf(settings);
  const { found } = await lookUpFrames(services, {
    ...{ studioId: key.studioId, main, files, inspection, settings, frames, cache },
  });
  const first = found.size === frames.length ? found.get(frames[0]!) : undefined;
  return inRecord(services, async (tx) => {
    await endStage(tx, key.jobId, 'intake');
    await startStage(tx, key.jobId, 'plan');
    const result = first && (await estimateOfUnit(tx, first));
    const chosen = calibrationFrames(frames, inspection);
    return { chunkId: await insertEstimateChunk(tx, { jobId: key.jobId, frames: chosen, needs, result }) };
  });
}

/** The estimate that a rendered unit was quoted with. */
async function estimateOfUnit(
  tx: Tx,
  { studioId, unitId }: { studioId: string; unitId: string },
): Promise<EstimateDocument | undefined> {
  const quote = await tx
    .selectFrom('units as u')
    .innerJoin('quotes as q', (join) => join.onRef('q.studioId', '=', 'u.studioId').onRef('q.jobId', '=', 'u.jobId'))
    .select('q.estimate')
    .where('u.studioId', '=', studioId)
    .where('u.id', '=', unitId)
    .executeTakeFirst();
  return quote?.estimate;
}

/**
 * Frames evenly over the shot: cost follows what comes near the camera. Of a sequence fewer, since each has files of its own that
 * the node must fetch first.
 */
function calibrationFrames(frames: readonly number[], { sequence }: Pick<SceneInspection, 'sequence'>): number[] {
  return spreadFrames(frames, sequence ? 3 : 5);
}
