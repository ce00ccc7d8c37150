/** Lets a node trace a little of a scene, so that its price can be fixed before anything is spent. */
import { Context } from '@temporalio/activity';
import { FarmError, fromProblem } from '../../domain/errors.ts';
import { barredBy, NO_WISH } from '../../domain/placement.ts';
import { cancelChunk, chunkState, failChunk, loseLease } from '../../ports/db/chunks.ts';
import { nodesOnlineFor, type PlacementDocument } from '../../ports/db/placement.ts';
import { listSites } from '../../ports/db/sites.ts';
import type { JobRow } from '../../ports/db/tables.ts';
import { finalFailure } from '../failure.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import { offerUnlessGivenUp } from './keepChunk.ts';
import type { DispatchServices } from './renderChunk.ts';

export interface CalibrateInput extends JobKey {
  /** The 'estimate' chunk. */
  chunkId: string;
}

/**
 * Offers the estimate chunk over the same path as frames and waits for its answer, which the chunk then holds.
 * @throws FarmError what the node found wrong with the scene; when no node takes it in time `ServiceFailed`, or `PinnedSiteAway`
 * where none is online at the sites that the job is pinned to
 */
export async function calibrate(
  services: DispatchServices,
  { studioId, jobId, chunkId }: CalibrateInput,
): Promise<void> {
  const job = await inRecord(services, (tx) =>
    tx
      .selectFrom('jobs')
      .select(['policy', 'placement'])
      .where('studioId', '=', studioId)
      .where('id', '=', jobId)
      .executeTakeFirstOrThrow(),
  );
  const policy = policyOf(services, job);
  const since = Context.current().info.scheduledTimestampMs;
  await withHeartbeat(async (signal) => {
    for (;;) {
      const watch = services.bell.watch(chunkId);
      try {
        const state = await inRecord(services, (tx) => chunkState(tx, chunkId));
        if (state.status === 'completed') return;
        if (state.status === 'cancelled')
          throw finalFailure(new FarmError('Cancelled', 'The calibration was cancelled.'));
        if (state.expired) {
          const reason = 'The node stopped sending heartbeats.';
          await inRecord(services, (tx) => loseLease(tx, { chunkId, leaseNumber: state.leaseNumber, reason }));
          continue;
        }
        const { problem } = await inRecord(services, (tx) => offerUnlessGivenUp(tx, chunkId, policy));
        if (problem) {
          await inRecord(services, (tx) => failChunk(tx, { chunkId, problem }));
          throw finalFailure(fromProblem(problem));
        }
        const started = state.leaseNumber > 0;
        const seconds = policy.calibrationWaitSeconds + (started ? policy.calibrationSeconds : 0);
        const left = since + seconds * 1000 - services.clock.now().getTime();
        if (left <= 0) {
          await inRecord(services, (tx) => cancelChunk(tx, chunkId));
          throw finalFailure(await whyNobodyCame(services, job.placement, started));
        }
        await watch.next(AbortSignal.any([signal, AbortSignal.timeout(left)]));
      } finally {
        watch.end();
      }
      if (signal.aborted) throw signal.reason;
    }
  });
}

async function whyNobodyCame(
  services: FarmServices,
  placement: JobRow['placement'],
  started: boolean,
): Promise<FarmError> {
  if (started) return new FarmError('ServiceFailed', 'No node finished the calibration in time; submit again later.');
  const { wish = NO_WISH } = placement as PlacementDocument;
  const { online, placed, sites } = await inRecord(services, async (tx) => ({
    ...(await nodesOnlineFor(tx, placement)),
    sites: await listSites(tx),
  }));
  if (online === 0)
    return new FarmError('ServiceFailed', 'No node is online, so the job cannot be calibrated.', { nodes: 0 });
  if (placed > 0) {
    const message = `None of the ${placed} nodes online that may take the job was free to calibrate it; try again later.`;
    return new FarmError('ServiceFailed', message, { nodes: placed });
  }
  const pinned = sites.filter((site) => barredBy({ ...site, status: 'online' }, wish) === null);
  const states = pinned.map(({ name, status }) =>
    status === 'online' ? `no node is online at ${name}` : `${name} is ${status}`,
  );
  const where =
    wish.sites || wish.country ? 'No node can take the job where it is pinned to' : 'No site takes jobs now';
  const names = pinned.map(({ name }) => name).join(', ');
  return new FarmError('PinnedSiteAway', `${where}: ${states.join(', ') || 'there is no such site'}.`, {
    sites: names,
  });
}
