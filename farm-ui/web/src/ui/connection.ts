/** How the page's event stream fares, for the sign in the header. */
import { useSyncExternalStore } from 'react';
import type { Connection } from '../live/stream.ts';

let connection: Connection | null = null;
const listeners = new Set<() => void>();

/** `null` when the page in view follows no stream. */
export function setConnection(next: Connection | null): void {
  if (next === connection) return;
  connection = next;
  for (const listener of listeners) listener();
}

export function useConnection(): Connection | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );
}
