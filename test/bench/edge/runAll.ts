/** All runs of a benchmark, one after the other; what the next ones need is made ready while a long one only waits for its link. */
import type { RunParameters, RunReport } from './edgeReport.ts';
import { secondsAt } from './limit.ts';
import { measureRun, type NamedRun, type PreparedRun, prepareRun, type RunContext } from './runJob.ts';
import { shotSize } from './size.ts';

/** A run that failed says why. */
export type RunOutcome = { name: string; report: RunReport } | { name: string; failure: string };

/** Of a centre's frames on their way, enough for all that others need beforehand. */
const LONG_SECONDS = 90;
const HALF_RGBA_BYTES = 8;

/** What a centre's frames take over its link, but for headers and compression. */
function linkSeconds({ frames, size, linkMbits }: RunParameters): number {
  const { width, height } = shotSize(size);
  return secondsAt(frames * width * height * HALF_RGBA_BYTES, linkMbits);
}

/**
 * Behind the narrow link of a centre the machine has little to do for minutes once all frames are committed. Then the sites
 * are started and warmed over their own links, and the jobs that follow are uploaded and quoted beside the studio: none of it
 * crosses the centre's link.
 * @param keep called with each run's outcome
 */
export async function runAll(
  context: RunContext,
  runs: readonly NamedRun[],
  keep: (outcome: RunOutcome) => Promise<void>,
  failureOf: (name: string, error: unknown) => RunOutcome,
): Promise<void> {
  const ready = new Map<NamedRun, Promise<PreparedRun>>();
  const prepare = (run: NamedRun): Promise<PreparedRun> => {
    const known = ready.get(run);
    if (known) return known;
    const prepared = prepareRun(context, run);
    // Told where it is waited for.
    prepared.catch(() => undefined);
    ready.set(run, prepared);
    return prepared;
  };
  for (const [index, run] of runs.entries()) {
    const others = runs.slice(index + 1);
    /** What fails of it is tried again, and told, by the run that needs it. */
    const meanwhile = async (): Promise<void> => {
      const next = others.find(({ parameters }) => parameters.topology !== run.parameters.topology);
      if (next) await context.shapes.of(next.parameters).catch(() => undefined);
      for (const other of others) await prepare(other).catch(() => ready.delete(other));
    };
    const afterwards = async (): Promise<void> => {
      if (others[0]) await prepare(others[0]).catch(() => ready.delete(others[0]!));
    };
    try {
      await context.shapes.keepFor([run, ...others]);
      // While the warm-up of a new shape is settled, the job is uploaded and quoted.
      await context.shapes.of(run.parameters);
      const prepared = await prepare(run);
      const isLong = run.parameters.topology === 'centre' && linkSeconds(run.parameters) > LONG_SECONDS;
      const beside = { meanwhile: isLong ? meanwhile : undefined, afterwards };
      await keep({ name: run.name, report: await measureRun(context, prepared, beside) });
    } catch (error) {
      await keep(failureOf(run.name, error));
    }
  }
}
