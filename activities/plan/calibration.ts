/** Which frames a node traces a little of before the quote. */
import { parseFrames } from '../../domain/frames.ts';
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
    const chosen = calibrationFrames(frames);
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

/** First, middle and last: a camera that comes close to something makes frames of a shot differ most between these. */
function calibrationFrames(frames: readonly number[]): number[] {
  const last = frames.length - 1;
  return [...new Set([0, Math.floor(last / 2), last])].map((index) => frames[index]!);
}
