/** A farm that has been running for a while: every node, store and agent has done its work before the clock begins. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FarmClient } from '../../../cli/sdk/client.ts';
import { readProject } from '../../../cli/sdk/project.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';
import { submitFrames, untilCommitted, untilCompleted } from './orders.ts';
import { untilTrue } from './patience.ts';
import { makeProject } from './shotProject.ts';
import { SHOT_FRAMES, shotSize, TINY_SIZE } from './size.ts';
import type { StudioClient } from './studioFarm.ts';
import { StudioProcess } from './studioProcess.ts';

const FRAMES_A_NODE = 2;

interface WarmUp {
  /** Absolute; gone afterwards. */
  folder: string;
  /** Size of the frames, as `shotSize` takes it. */
  size: number;
  /** That are online, and the places they stand at. */
  nodes: number;
  places: number;
}

/**
 * Has each node render frames of a tiny project for a studio of its own, and the studio take one from each place. Programs are
 * compiled, connections and statements prepared afterwards, as in any farm but one that was started a moment ago; of the
 * measured project no byte is at a site.
 * @param client of a studio that does nothing else
 * @returns when its nodes have no more to do; `ended` resolves when the job has ended, and nothing of it uses the machine
 * @throws FarmError `RenderFailed` when the job does not end well, `ServiceFailed` when it does not end; so does `ended`
 */
export async function warmUp(
  lab: Lab,
  client: StudioClient,
  { folder, size, nodes, places }: WarmUp,
): Promise<{ ended: Promise<void> }> {
  const { scene } = await makeProject(join(folder, 'project'), 'shot', shotSize(TINY_SIZE));
  const frames = `1-${Math.min(SHOT_FRAMES, FRAMES_A_NODE * nodes)}`;
  const { id } = await submitFrames(client, await readProject(scene), { name: 'warm-up', size, frames });
  await client.acceptJob(id);
  const studio = await StudioProcess.start(lab);
  let left = places;
  const order = { access: client.access, jobId: id, folder: join(folder, 'delivered'), transit: 'off' } as const;
  await new Promise<void>((resolve, reject) => {
    const onArrival = (): void => {
      left -= 1;
      if (left === 0) resolve();
    };
    studio.pull(order, onArrival).then(resolve, reject);
  }).finally(() => studio.end());
  await untilCommitted(client, id);
  const ended = untilCompleted(client, id).then(() => rm(folder, { recursive: true, force: true }));
  // Told where it is waited for.
  ended.catch(() => undefined);
  return { ended };
}

/** Waits for nodes by their names. @throws FarmError `ServiceFailed` when one has not joined within two minutes */
export async function untilOnline(client: FarmClient, names: readonly string[]): Promise<void> {
  await untilTrue(async () => {
    const online = new Set((await client.nodes()).filter(({ status }) => status === 'online').map(({ name }) => name));
    return names.every((name) => online.has(name));
  }, `Not all of ${names.length} nodes joined`);
}
