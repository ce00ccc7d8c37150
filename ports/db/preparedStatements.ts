/**
 * Which statements are prepared by name, so that the database parses and plans them once a connection. A pooler between
 * this process and the database must know prepared statements (PgBouncer from 1.21 on).
 */

/** A text that comes this often comes again; lists of changing length make many texts that come once. */
const WORTH_IT = 3;
/** Bound of the texts that are counted and of those that are named. */
const TEXTS = 2_000;
const NAMES = 500;

/** @returns the name of a statement for the driver, or undefined while it is not prepared. One for each pool. */
export function createStatementNames(): (text: string) => string | undefined {
  const seen = new Map<string, number>();
  const names = new Map<string, string>();
  return (text) => {
    const name = names.get(text);
    if (name !== undefined) return name;
    if (names.size >= NAMES) return undefined;
    const count = (seen.get(text) ?? 0) + 1;
    if (count < WORTH_IT) {
      // Counting anew costs a few more parses, no memory.
      if (seen.size >= TEXTS) seen.clear();
      seen.set(text, count);
      return undefined;
    }
    seen.delete(text);
    names.set(text, `farm_${names.size}`);
    return names.get(text);
  };
}
