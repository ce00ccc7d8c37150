/** Cuts an accepted job into chunks. */
import { sql } from 'kysely';
import { chunkFrames } from '../../domain/chunking.ts';
import { parseFrames } from '../../domain/frames.ts';
import type { Policy } from '../../domain/policy.ts';
import { completeSettings } from '../../domain/settings.ts';
import { insertPlan } from '../../ports/db/chunks.ts';
import type { Tx } from '../../ports/db/client.ts';
import { endStage, startStage } from '../../ports/db/stages.ts';
import type { JobRow } from '../../ports/db/tables.ts';
import { readJob } from '../intake/inspectSubmission.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import { needsOf } from './needs.ts';

/** The one layer of a job so far; its passes (albedo, normal, depth) lie in the same file. */
const BEAUTY_LAYER = 'beauty';

/** What `renderJob` needs to know at its start: the rules, and whether the job is being stopped already. */
export async function openJob(services: FarmServices, key: JobKey): Promise<{ policy: Policy; stopping: boolean }> {
  const job = await readJob(services, key);
  await inRecord(services, (tx) => startStage(tx, key.jobId, 'plan'));
  return { policy: policyOf(services, job), stopping: job.status !== 'active' && job.status !== 'paused' };
}

/** Writes the plan, in one transaction and once: a job that has chunks keeps them, however many nodes there are now. */
export async function planJob(services: FarmServices, key: JobKey): Promise<{ chunks: number }> {
  const job = await readJob(services, key);
  return inRecord(services, async (tx) => {
    const planned = await countChunks(tx, key);
    if (planned > 0) return { chunks: planned };
    const quote = await tx
      .selectFrom('quotes')
      .select(['estimate', 'unitPrice', 'createdAt'])
      .where('studioId', '=', key.studioId)
      .where('jobId', '=', key.jobId)
      .executeTakeFirstOrThrow();
    const needs = needsOf(completeSettings(job.settings));
    const nodes = await tx
      .selectFrom('nodes')
      .select('score')
      .where('status', '=', 'online')
      .where(sql<boolean>`meets(labels, ${JSON.stringify(needs)}::jsonb)`)
      .execute();
    const { secondsPerFrame, referenceScore } = quote.estimate;
    const secondsAtScoreOne = secondsPerFrame * referenceScore;
    const meanScore =
      nodes.length > 0 ? nodes.reduce((sum, { score }) => sum + score, 0) / nodes.length : referenceScore;
    const chunks = chunkFrames({
      frames: parseFrames(job.frames!),
      estimateSeconds: secondsAtScoreOne / meanScore,
      fittingSlots: nodes.length,
    });
    await insertPlan(tx, {
      jobId: key.jobId,
      layer: BEAUTY_LAYER,
      unitPrice: quote.unitPrice,
      chunks: chunks.map((frames, index) => ({
        ...{ index, frames, needs },
        estimateSeconds: frames.length * secondsAtScoreOne,
      })),
    });
    await endStage(tx, key.jobId, 'plan', planSeconds(job, quote.createdAt, services.clock.now()));
    return { chunks: chunks.length };
  });
}

/** Planning without the time in which the studio looked at the quote. */
function planSeconds({ stageStarted, acceptedAt }: JobRow, quotedAt: Date, now: Date): number {
  const untilQuote = quotedAt.getTime() - Date.parse(stageStarted.plan ?? quotedAt.toISOString());
  const sinceAccept = acceptedAt ? now.getTime() - acceptedAt.getTime() : 0;
  return Math.max(0, untilQuote + sinceAccept) / 1000;
}

async function countChunks(tx: Tx, { studioId, jobId }: JobKey): Promise<number> {
  const { count } = await tx
    .selectFrom('chunks')
    .select((chunk) => chunk.fn.countAll<number>().as('count'))
    .where('studioId', '=', studioId)
    .where('jobId', '=', jobId)
    .where('kind', '=', 'render')
    .executeTakeFirstOrThrow();
  return count;
}
