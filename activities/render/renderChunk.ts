/** One chunk from its offer to its last committed frame, on the trusted dispatch worker. */
import { ApplicationFailure } from '@temporalio/activity';
import { FarmError, toProblem } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type FarmServices, type JobKey, policyOf } from '../services.ts';
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
  const { chunkId, policy, settings } = await findChunk(services, input);
  return withHeartbeat(async (signal) => {
    const paid = new Set<string>();
    let verifySeconds = 0;
    let completed = false;
    const takeResult = (): void => {
      const done = desk.takeResult();
      for (const nodeId of done.paidNodes) paid.add(nodeId);
      verifySeconds += done.verifySeconds;
      completed ||= done.chunkCompleted;
      services.receipts.earned(input, done.paidNodes, policy);
    };
    const desk: VerifyDesk = new VerifyDesk(services, settings, ({ isQuiet }) => {
      takeResult();
      // A frame that was committed and is not the last changes nothing that the keeper has to look at.
      if (!isQuiet) services.bell.ring(chunkId);
    });
    const keep = async (): Promise<NonNullable<KeeperStep['outcome']>> => {
      for (;;) {
        const watch = services.bell.watch(chunkId);
        try {
          if (completed) return { outcome: 'completed' };
          const { outcome, lost } = await keepRenderChunk(services, desk, chunkId, policy);
          if (outcome) return outcome;
          if (lost) throw leaseLost(chunkId, lost);
          await watch.next(signal);
        } finally {
          watch.end();
        }
        if (signal.aborted) throw signal.reason;
      }
    };
    let end: NonNullable<KeeperStep['outcome']>;
    try {
      end = await keep();
    } finally {
      await desk.settled();
      await services.receipts.write(input, [...paid]);
    }
    return end.outcome === 'completed' ? { ...end, verifySeconds } : end;
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
): Promise<{ chunkId: string; policy: Policy; settings: RenderSettings }> {
  const found = await services.database.singly((statements) =>
    statements
      .selectFrom('chunks as c')
      .innerJoin('jobs as j', (join) => join.onRef('j.studioId', '=', 'c.studioId').onRef('j.id', '=', 'c.jobId'))
      .select(['c.id', 'j.policy', 'j.settings'])
      .where('c.studioId', '=', studioId)
      .where('c.jobId', '=', jobId)
      .where('c.kind', '=', 'render')
      .where('c.index', '=', index)
      .executeTakeFirst(),
  );
  if (!found) throw new FarmError('JobNotFound', `There is no chunk ${index} of job ${jobId}.`, { job: jobId });
  // Neither changes once a job is quoted.
  return { chunkId: found.id, policy: policyOf(services, found), settings: completeSettings(found.settings) };
}
