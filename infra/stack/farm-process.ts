/**
 * What every `main.ts` of the farm does around its own work: say that it is ready, stop in order when told to, and never
 * outlive the supervisor.
 */

/** How long the work may take to stop before the process ends anyway. */
const STOP_TIMEOUT_MS = 8000;

/**
 * Runs the work of a process to its end. Call it once, as the last thing in `main.ts`:
 *
 *     await runFarmProcess(async () => {
 *       const worker = await startWorker(readEnvironment(process.env));
 *       return { stop: () => worker.stop(), ended: worker.ended };
 *     });
 *
 * @param start returns when the process serves: `stop` ends it in order (on SIGTERM, SIGINT, or when the supervisor is
 *   gone), `ended` (if it can end by itself) settles or rejects then
 */
export async function runFarmProcess(
  start: () => Promise<{ stop: () => Promise<void>; ended?: Promise<unknown> }>,
): Promise<void> {
  let stopping: Promise<void> | undefined;
  let running: { stop: () => Promise<void>; ended?: Promise<unknown> } | undefined;
  const stop = (exitCode: number) => {
    stopping ??= (async () => {
      setTimeout(() => process.exit(exitCode), STOP_TIMEOUT_MS).unref();
      await running?.stop();
      process.exit(exitCode);
    })().catch((error) => fail(error));
  };
  const fail = (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  };
  process.once('SIGTERM', () => stop(0));
  process.once('SIGINT', () => stop(130));
  // Under the supervisor there is an IPC channel; it closes when the supervisor is gone, however it went.
  if (process.channel) process.once('disconnect', () => stop(0));
  try {
    running = await start();
    process.send?.({ type: 'ready' });
    await running.ended;
    if (running.ended && !stopping) stop(0);
  } catch (error) {
    if (!stopping) fail(error);
  }
}
