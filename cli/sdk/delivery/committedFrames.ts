/** The committed frames of a job, each once, as soon as the farm knows of them. */
import type { FarmClient } from '../client.ts';
import { isFinalJob } from '../jobStatus.ts';
import type { JobView } from '../types.ts';

/** No frame follows: the job has ended, or is settled and waits for the studio to have everything. */
const isOver = (job: JobView): boolean =>
  isFinalJob(job.status) || job.stages.some(({ stage, state }) => stage === 'settle' && state === 'done');

/**
 * Hands each committed frame's id to `onFrame`: those that are there, and with `wait` those that follow, from the job's
 * events, until the job is settled or final. The stream of events is opened before the list is read, so that nothing falls between.
 */
export async function followCommitted(
  client: FarmClient,
  jobId: string,
  { wait, signal }: { wait: boolean; signal?: AbortSignal | undefined },
  onFrame: (unitId: string) => void,
): Promise<void> {
  const seen = new Set<string>();
  const take = (unitId: string): void => {
    if (seen.has(unitId)) return;
    seen.add(unitId);
    onFrame(unitId);
  };
  const takeListed = async (): Promise<void> => {
    for await (const frame of client.frames(jobId, 'committed')) take(frame.unitId);
  };
  const job = await client.job(jobId);
  if (wait && !isOver(job)) {
    const listed = takeListed();
    // Awaited below; until then a failure must not end the process.
    listed.catch(() => undefined);
    const stop = new AbortController();
    signal?.addEventListener('abort', () => stop.abort(), { once: true });
    for await (const event of client.events(jobId, { after: job.eventSeq, signal: stop.signal })) {
      if (event.type === 'unit.committed') take(String(event.data.unitId));
      if (event.type === 'stage.ended' && event.data.stage === 'settle') stop.abort();
      if (event.type === 'job.changed' && isFinalJob(event.data.status)) stop.abort();
    }
    signal?.throwIfAborted();
    await listed;
  }
  // Also what was committed without an event of its own.
  await takeListed();
}
