/** A list that is fetched again when a stream says that something changed. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { setConnection } from '../ui/connection.ts';
import { openStream } from './stream.ts';

/** Changes come in bursts, milliseconds. */
const GATHER_MS = 600;

/** Fetches `queryKey` again, once for a burst of events. @param address of the stream; null: there is none to follow */
export function useChanges(queryKey: string, address: (() => string) | null): void {
  const client = useQueryClient();
  useEffect(() => {
    if (address === null) return;
    let timer = 0;
    const again = (): void => {
      timer = 0;
      void client.invalidateQueries({ queryKey: [queryKey] });
    };
    const close = openStream({
      address,
      onConnection: setConnection,
      onResumed: again,
      onEvents: () => {
        if (timer === 0) timer = window.setTimeout(again, GATHER_MS);
      },
    });
    return () => {
      close();
      setConnection(null);
      window.clearTimeout(timer);
    };
  }, [client, queryKey, address]);
}
