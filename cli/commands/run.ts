/** What all commands share: errors become one clear message and an exit code, `--json` output goes to stdout. */
import { reportError } from '../output/report.ts';

/** Wraps a command's action: whatever it throws is reported, never dumped. */
export function withErrors<A extends unknown[]>(action: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      const flags = args.find(
        (arg): arg is A[number] & { json?: boolean } => typeof arg === 'object' && arg !== null && !Array.isArray(arg),
      );
      reportError(error, Boolean(flags?.json));
    }
  };
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
