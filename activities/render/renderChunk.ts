/** One chunk from its offer to its last committed frame, on the trusted dispatch worker. */
import { ApplicationFailure } from '@temporalio/activity';
import { FarmError, toProblem } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import type { FrameInspectors } from '../verify/frameInspectors.ts';
import type { ChunkBell } from './chunkBell.ts';
import { type ChunkOutcome, type KeeperStep, keepRenderChunk } from './keepChunk.ts';
import type { ReceiptBook } from './receiptBook.ts';
import { VerifyDesk } from './verifyDesk.ts';

/** What the dispatch worker has beside the usual. */
export interface DispatchServices extends FarmServices {
  bell: ChunkBell;
  receipts: ReceiptBook;
  inspectors: FrameInspectors;
}

export interface RenderChunkInput extends JobKey {
  /** Position of the chunk in the job. */
  index: number;
}

/**
 * Offers the chunk, watches over its leases, verifies and commits its frames as they arrive, and writes receipts. May be
 * killed and repeated at any point. A lost lease ends the attempt with `HeartbeatLost`, so that Temporal shows why another
 * one follows; the chunk is on offer again by then.
 */
export async function renderChunk(services: DispatchServices, input: RenderChunkInput): Promise<ChunkOutcome> {
  const { chunkId, policy } = await findChunk(services, input);
  return withHeartbeat(async (signal) => {
    let verifySeconds = 0;
    // A frame that was committed and is not the last changes nothing that the keeper has to look at.
    const desk: VerifyDesk = new VerifyDesk(services, ({ isQuiet }) => {
      if (!isQuiet) return services.bell.ring(chunkId);
      const done = desk.takeResult();
      verifySeconds += done.verifySeconds;
      services.receipts.due(input, done.paidNodes, { policy, now: false }).catch((error: unknown) => {
        services.log.warn({ err: error }, 'receipts were not written; the next look tries again');
      });
    });
    try {
      for (;;) {
        const watch = services.bell.watch(chunkId);
        try {
          const step = await keepRenderChunk(services, desk, chunkId, policy);
          verifySeconds += step.verifySeconds;
          const ends = step.outcome !== null && step.outcome.outcome !== 'paused';
          await services.receipts.due(input, step.paidNodes, { policy, now: ends });
          if (step.outcome?.outcome === 'completed') return { outcome: 'completed', verifySeconds };
          if (step.outcome) return step.outcome;
          if (step.lost) throw leaseLost(chunkId, step.lost);
          await watch.next(signal);
        } finally {
          watch.end();
        }
        if (signal.aborted) throw signal.reason;
      }
    } finally {
      await desk.settled();
    }
  });
}

/** Temporal starts the next attempt at once: this one ended for a reason that waiting does not mend. */
function leaseLost(chunkId: string, { leaseNumber }: NonNullable<KeeperStep['lost']>): ApplicationFailure {
  const message = `Lease ${leaseNumber} was lost: its node stopped sending heartbeats.`;
  const problem = toProblem(new FarmError('HeartbeatLost', message, { chunk: chunkId, leaseNumber }));
  return ApplicationFailure.create({
    message,
    type: problem.code,
    details: [problem],
    nextRetryDelay: '10ms',
  });
}

async function findChunk(
  services: FarmServices,
  { studioId, jobId, index }: RenderChunkInput,
): Promise<{ chunkId: string; policy: Policy }> {
  return inRecord(services, async (tx) => {
    const job = await tx
      .selectFrom('jobs')
      .select('policy')
      .where('studioId', '=', studioId)
      .where('id', '=', jobId)
      .executeTakeFirst();
    const chunk = await tx
      .selectFrom('chunks')
      .select('id')
      .where('studioId', '=', studioId)
      .where('jobId', '=', jobId)
      .where('kind', '=', 'render')
      .where('index', '=', index)
      .executeTakeFirst();
    if (!job || !chunk)
      throw new FarmError('JobNotFound', `There is no chunk ${index} of job ${jobId}.`, { job: jobId });
    return { chunkId: chunk.id, policy: policyOf(services, job) };
  });
}
