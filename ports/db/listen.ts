/** LISTEN on a connection of its own. A lost connection is made again; what was sent meanwhile is lost, so listeners re-read. */
import pg from 'pg';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Listens until the answer is called. After a reconnection the callback gets an empty payload: "you may have missed some".
 * @throws when the first connection fails
 */
export async function listenOn(
  connectionString: string,
  channel: string,
  callback: (payload: string) => void,
): Promise<() => Promise<void>> {
  let client: pg.Client | null = null;
  let ended = false;
  let pauseMs = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | undefined;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({ connectionString, keepAlive: true, application_name: 'framewright listen' });
    next.on('error', () => {});
    next.on('notification', (message) => callback(message.payload ?? ''));
    try {
      await next.connect();
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
    if (ended) return next.end();
    next.on('end', reconnectLater);
    client = next;
    pauseMs = FIRST_PAUSE_MS;
  };
  const reconnectLater = (): void => {
    client = null;
    if (ended) return;
    timer = setTimeout(() => connect().then(() => callback(''), reconnectLater), pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  };

  await connect();
  return async () => {
    ended = true;
    clearTimeout(timer);
    await client?.end().catch(() => {});
  };
}
