/** A farm that has been running for a while: every node, store and agent has done its work before the clock begins. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FarmClient } from '../../../cli/sdk/client.ts';
import { readProject } from '../../../cli/sdk/project.ts';
import { FarmError } from '../../../domain/errors.ts';
import { PATIENCE_MS, submitFrames, untilCompleted } from './orders.ts';
import { makeProject } from './shotProject.ts';
import { SHOT_FRAMES, shotSize, TINY_SIZE } from './size.ts';

const FRAMES_A_NODE = 2;

/**
 * Has each node render and deliver frames of a tiny project for a studio of its own. Programs are compiled, connections and
 * statements prepared afterwards, as in any farm but one that was started a moment ago; of the measured project no byte is
 * at a site, and no frame is pulled.
 * @param client of a studio that does nothing else
 * @param nodes that are online
 * @throws FarmError `RenderFailed` when the job does not end well, `ServiceFailed` when it does not end
 */
export async function warmUp(client: FarmClient, folder: string, size: number, nodes: number): Promise<void> {
  const { scene } = await makeProject(join(folder, 'warm-up'), 'shot', shotSize(TINY_SIZE));
  const frames = `1-${Math.min(SHOT_FRAMES, FRAMES_A_NODE * nodes)}`;
  const { id } = await submitFrames(client, await readProject(scene), { name: 'warm-up', size, frames });
  await client.acceptJob(id);
  await untilCompleted(client, id);
}

/** Waits for nodes by their names. @throws FarmError `ServiceFailed` when one has not joined within two minutes */
export async function untilOnline(client: FarmClient, names: readonly string[]): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(200)) {
    const online = new Set((await client.nodes()).filter(({ status }) => status === 'online').map(({ name }) => name));
    if (names.every((name) => online.has(name))) return;
  }
  throw new FarmError('ServiceFailed', 'Not all nodes joined within two minutes.', { nodes: names.length });
}
