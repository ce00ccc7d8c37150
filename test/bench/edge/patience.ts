/** Waits of the benchmark for what should take seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FarmError } from '../../../domain/errors.ts';

const PATIENCE_MS = 120_000;
const LOOK_MS = 200;

/**
 * Looks again and again until it is so.
 * @param what for people: what did not come
 * @throws FarmError `ServiceFailed` after two minutes; what a look throws
 */
export async function untilTrue(look: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(LOOK_MS)) if (await look()) return;
  throw new FarmError('ServiceFailed', `${what} within two minutes.`, {});
}
