/** Cuts an accepted job into chunks. */
import { FarmError } from '../../domain/errors.ts';
import { parseFrames } from '../../domain/frames.ts';
import type { Policy } from '../../domain/policy.ts';
import { completeSettings } from '../../domain/settings.ts';
import { insertPlan } from '../../ports/db/chunks.ts';
import type { Tx } from '../../ports/db/client.ts';
import { commitCached } from '../../ports/db/commitCached.ts';
import { holdCachedFrames } from '../../ports/db/frameCache.ts';
import { getVersion } from '../../ports/db/jobs.ts';
import { lockJob } from '../../ports/db/locks.ts';
import { countOnlineNodes } from '../../ports/db/queries/nodes.ts';
import { endStage, startStage } from '../../ports/db/stages.ts';
import type { JobRow, QuoteRow } from '../../ports/db/tables.ts';
import { readJob } from '../intake/inspectSubmission.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import { lookUpFrames } from './lookUpFrames.ts';
import { needsOf } from './needs.ts';
import { placeFrames } from './placeFrames.ts';

/** The one layer of a job so far; its passes (albedo, normal, depth) lie in the same file. */
const BEAUTY_LAYER = 'beauty';

/** What `renderJob` needs to know at its start. */
export interface OpenedJob {
  policy: Policy;
  /** It is being stopped already. */
  stopping: boolean;
  /** How long it waits, once settled, for its studio to have all frames, seconds. Absent from jobs of an older farm. */
  deliveryWaitSeconds?: number;
}

/** The rules of a job, at its start. */
export async function openJob(services: FarmServices, key: JobKey): Promise<OpenedJob> {
  const job = await readJob(services, key);
  const nodes = await inRecord(services, async (tx) => {
    await startStage(tx, key.jobId, 'plan');
    return countOnlineNodes(tx);
  });
  const policy = policyOf(services, job);
  const isOrdered = (job.policy.chunksInFlight ?? services.operatorPolicy.chunksInFlight) !== undefined;
  // Each node has a chunk and finds the next one on offer, also where each site has chunks of its own.
  if (!isOrdered) policy.chunksInFlight = Math.max(policy.chunksInFlight, 2 * nodes);
  const deliveryWaitSeconds = job.delivery === 'awaited' ? policy.deliveryWaitSeconds : 0;
  return { policy, stopping: job.status !== 'active' && job.status !== 'paused', deliveryWaitSeconds };
}

/**
 * Writes the plan, in one transaction and once: a job that has chunks keeps them, however many nodes there are now. Frames
 * that the frame cache holds are committed at once; only the others become chunks.
 * @throws FarmError `QuoteExpired` when a job whose quote took all frames from the cache finds some of them gone: nobody has
 * agreed to pay for them
 */
export async function planJob(services: FarmServices, key: JobKey): Promise<{ chunks: number }> {
  const job = await readJob(services, key);
  const known = await inRecord(services, (tx) => plannedChunks(tx, key));
  if (known) return known;
  const { manifest, inspection } = await inRecord(services, async (tx) => (await getVersion(tx, key.jobId))!);
  const { main, files } = manifest;
  const settings = completeSettings(job.settings);
  const frames = parseFrames(job.frames!);
  const { found, inputHashes } = await lookUpFrames(services, {
    ...{ studioId: key.studioId, main, files, inspection, settings, frames, cache: job.submission.cache },
  });
  return inRecord(services, async (tx) => {
    await lockJob(tx, key.jobId);
    const planned = await plannedChunks(tx, key);
    if (planned) return planned;
    const quote = await tx
      .selectFrom('quotes')
      .select(['estimate', 'total', 'unitPrice', 'cache', 'createdAt'])
      .where('studioId', '=', key.studioId)
      .where('jobId', '=', key.jobId)
      .executeTakeFirstOrThrow();
    const held = await holdCachedFrames(
      tx,
      key.studioId,
      [...found.values()].map((entry) => entry.key),
    );
    const cached = frames.flatMap((frame) => {
      const entry = found.get(frame);
      return entry && held.has(entry.key) ? { frame, key: entry.key, inputHash: inputHashes.get(frame)! } : [];
    });
    requireFreeFrames(quote, frames.length - cached.length);
    await commitCached(tx, { jobId: key.jobId, layer: BEAUTY_LAYER, frames: cached });
    const taken = new Set(cached.map(({ frame }) => frame));
    const needs = needsOf(settings);
    const { secondsPerFrame, referenceScore } = quote.estimate;
    const secondsAtScoreOne = secondsPerFrame * referenceScore;
    const chunks = await placeFrames(tx, {
      ...{ job, manifest, inspection, settings, needs, secondsAtScoreOne },
      frames: frames.filter((frame) => !taken.has(frame)),
      now: services.clock.now(),
    });
    await insertPlan(tx, {
      jobId: key.jobId,
      layer: BEAUTY_LAYER,
      unitPrice: quote.unitPrice,
      inputHashes,
      chunks: chunks.map(({ frames, siteId }, index) => ({
        ...{ index, frames, needs, siteId },
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

/** What was quoted for nothing stays so. */
function requireFreeFrames({ total, cache }: Pick<QuoteRow, 'total' | 'cache'>, left: number): void {
  if (total > 0n || left === 0) return;
  throw new FarmError(
    'QuoteExpired',
    `The quote took all ${cache.count} frames from the frame cache; ${left} of them are not in it any more for the nodes online now. Submit again.`,
    { frames: left },
  );
}

/** How many chunks are to be rendered, or null for a job that was not planned. */
async function plannedChunks(tx: Tx, { studioId, jobId }: JobKey): Promise<{ chunks: number } | null> {
  const { render, all } = await tx
    .selectFrom('chunks')
    .select((chunk) => [
      chunk.fn.countAll<number>().as('all'),
      chunk.fn.countAll<number>().filterWhere('kind', '=', 'render').as('render'),
    ])
    .where('studioId', '=', studioId)
    .where('jobId', '=', jobId)
    .where('kind', 'in', ['render', 'cache'])
    .executeTakeFirstOrThrow();
  return all > 0 ? { chunks: render } : null;
}
