/** Jobs of the benchmark: some frames of a project, each rendered anew. */
import type { FarmClient } from '../../../cli/sdk/client.ts';
import { isFinalJob } from '../../../cli/sdk/jobStatus.ts';
import type { readProject } from '../../../cli/sdk/project.ts';
import { submitProject } from '../../../cli/sdk/submit.ts';
import type { JobView } from '../../../cli/sdk/types.ts';
import { FarmError } from '../../../domain/errors.ts';
import { untilTrue } from './patience.ts';
import { shotSize } from './size.ts';
import { benchSettings } from './tracedFrames.ts';

interface Order {
  name: string;
  /** Size of the frames, as `shotSize` takes it. */
  size: number;
  /** As a studio writes them: `1-20`. */
  frames: string;
}

/**
 * Uploads and quotes. What an earlier job made is no frame of this one.
 * @param onUploaded called when all bytes are there and the quote begins
 */
export function submitFrames(
  client: FarmClient,
  project: Awaited<ReturnType<typeof readProject>>,
  { name, size, frames }: Order,
  onUploaded: () => void = () => {},
): Promise<JobView> {
  const wishes = { ...benchSettings(shotSize(size)), frames, name, cache: false };
  return submitProject(client, project, wishes as never, { uploading() {}, preparing: onUploaded });
}

/** @throws FarmError `RenderFailed` when the job does not end well, `ServiceFailed` when it does not end within two minutes */
export const untilCompleted = (client: FarmClient, id: string): Promise<void> =>
  untilJob(client, id, ({ status }) => status === 'completed', 'did not end');

/** All frames are committed: its nodes have no more to do. @throws as `untilCompleted` */
export const untilCommitted = (client: FarmClient, id: string): Promise<void> =>
  untilJob(client, id, ({ frames }) => frames.total > 0 && frames.committed === frames.total, 'was not rendered');

function untilJob(client: FarmClient, id: string, isSo: (job: JobView) => boolean, what: string): Promise<void> {
  return untilTrue(async () => {
    const job = await client.job(id);
    if (isSo(job)) return true;
    if (!isFinalJob(job.status)) return false;
    const { name, status, problem } = job;
    throw new FarmError('RenderFailed', `The job "${name}" is ${status}: ${problem?.detail ?? 'no reason'}`, {});
  }, `The job ${id} ${what}`);
}
