/** Ctrl-C and SIGTERM of commands that end in order. */
import { Interrupted } from '../output/report.ts';

/** As a shell says it: 128 and the signal's number. */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
export type Signal = keyof typeof EXIT_CODES;

/**
 * Runs work that the first of the two signals aborts, with an error that says what is left and what to do; the second one
 * ends the process at once.
 * @param stopped what is so then, a sentence
 * @param remedy how it is gone on with
 * @throws Interrupted by way of the work, which ends with the signal's reason
 */
export async function interruptible<T>(
  { stopped, remedy }: { stopped: string; remedy: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const end = (signal: Signal): void => {
    const exitCode = EXIT_CODES[signal];
    if (stop.signal.aborted) process.exit(exitCode);
    stop.abort(new Interrupted(stopped, remedy, exitCode));
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}
