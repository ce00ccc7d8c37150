/** Which frames a node traces a little of before the quote. */
import { parseFrames } from '../../domain/frames.ts';
import { completeSettings } from '../../domain/settings.ts';
import { insertEstimateChunk } from '../../ports/db/chunks.ts';
import { endStage, startStage } from '../../ports/db/stages.ts';
import { readJob } from '../intake/inspectSubmission.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';
import { needsOf } from './needs.ts';

/** Ends intake, begins plan, and writes down the estimate chunk; nobody can take it before it is offered. */
export async function planCalibration(services: FarmServices, key: JobKey): Promise<{ chunkId: string }> {
  const { frames, settings } = await readJob(services, key);
  const needs = needsOf(completeSettings(settings));
  const chosen = calibrationFrames(parseFrames(frames!));
  return inRecord(services, async (tx) => {
    await endStage(tx, key.jobId, 'intake');
    await startStage(tx, key.jobId, 'plan');
    return { chunkId: await insertEstimateChunk(tx, { jobId: key.jobId, frames: chosen, needs }) };
  });
}

/** First, middle and last: a camera that comes close to something makes frames of a shot differ most between these. */
function calibrationFrames(frames: readonly number[]): number[] {
  const last = frames.length - 1;
  return [...new Set([0, Math.floor(last / 2), last])].map((index) => frames[index]!);
}
