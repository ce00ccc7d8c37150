/** What every part of `npm run bench:render` gives back, and what it may use. */

/** A part that could not run says why, and counts as `null` in the JSON. */
export type PartOutcome<Result> = { result: Result; reason?: never } | { result: null; reason: string };

export interface BenchContext {
  /** One line of progress for people, on standard error. */
  say(line: string): void;
  /** Threads that both sides of a comparison may use. */
  threads: number;
  /** Far smaller sizes and fewer repeats: to see that a part works, not to keep its figures. */
  quick: boolean;
}

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
