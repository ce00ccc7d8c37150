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
export async function untilCompleted(client: FarmClient, id: string): Promise<void> {
  await untilTrue(async () => {
    const { name, status, problem } = await client.job(id);
    if (status === 'completed' || !isFinalJob(status)) return status === 'completed';
    throw new FarmError('RenderFailed', `The job "${name}" is ${status}: ${problem?.detail ?? 'no reason'}`, {});
  }, `The job ${id} did not end`);
}
