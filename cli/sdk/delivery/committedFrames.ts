/** The committed frames of a job, each once, as soon as the farm knows of them. */
import type { FarmClient } from '../client.ts';
import { isFinalJob } from '../jobStatus.ts';
import type { FrameHead, JobView } from '../types.ts';

/** No frame follows: the job has ended, or is settled and waits for the studio to have everything. */
export const isOver = (job: JobView): boolean =>
  isFinalJob(job.status) || job.stages.some(({ stage, state }) => stage === 'settle' && state === 'done');

/** Told of frames by their ids. */
export interface FrameNews {
  committed(unitId: string): void;
  /** It lies in a store and is being judged. `node`: name of the one that rendered it. Only of what happens meanwhile. */
  judged(unitId: string, node: string): void;
  /** Its first part may be had already, while the whole is on its way into a store. Only of what happens meanwhile. */
  begun(head: FrameHead): void;
  /** It was not accepted. */
  refused(unitId: string): void;
}

/**
 * Tells of each committed frame once: those that are there, and with `wait` those that follow, from the job's
 * events, until the job is settled or final. The stream of events is opened before the list is read, so that nothing falls between.
 */
export async function followCommitted(
  client: FarmClient,
  jobId: string,
  { wait, signal }: { wait: boolean; signal?: AbortSignal | undefined },
  news: FrameNews,
): Promise<void> {
  const seen = new Set<string>();
  const take = (unitId: string): void => {
    if (seen.has(unitId)) return;
    seen.add(unitId);
    news.committed(unitId);
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
      const { unitId, status, node } = event.data as { unitId?: string; status?: string; node?: string };
      if (event.type === 'unit.committed') take(String(unitId));
      if (event.type === 'unit.changed' && status === 'uploaded') news.judged(String(unitId), String(node));
      if (event.type === 'unit.head') news.begun(event.data as FrameHead);
      if (event.type === 'unit.refused') news.refused(String(unitId));
      if (event.type === 'stage.ended' && event.data.stage === 'settle') stop.abort();
      if (event.type === 'job.changed' && isFinalJob(event.data.status)) stop.abort();
    }
    signal?.throwIfAborted();
    await listed;
  }
  // Also what was committed without an event of its own.
  await takeListed();
}
