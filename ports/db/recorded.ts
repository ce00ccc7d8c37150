/**
 * Refusals that leave a trace. A late result is refused *and* logged; an exception would roll the log entry back with the
 * rest of the transaction. A recorded error makes `Database` commit what was written so far and throw afterwards.
 */
import type { FarmError } from '../../domain/errors.ts';

const recorded = new WeakSet<object>();

/** Marks an error as one to throw after the commit. Whoever throws it has written nothing but its record. */
export function afterCommit(error: FarmError): FarmError {
  recorded.add(error);
  return error;
}

export function isRecorded(error: unknown): boolean {
  return typeof error === 'object' && error !== null && recorded.has(error);
}
