/** A server-sent event stream that resumes where it stopped, with its events handed over once an animation frame. */
import { JOB_EVENT_TYPES, type JobEvent } from '../api/events.ts';

export type Connection = 'connecting' | 'live' | 'lost';

interface StreamOptions {
  /** Address to open; called again after a loss that the browser does not mend by itself. */
  address: () => string;
  /** All events since the last animation frame, in order. Never empty. */
  onEvents: (events: JobEvent[]) => void;
  onConnection?: (connection: Connection) => void;
  /** After every time the stream opens again: what may have been missed can be fetched here. */
  onResumed?: () => void;
}

/** Opens the stream. @returns a function that closes it */
export function openStream({ address, onEvents, onConnection, onResumed }: StreamOptions): () => void {
  let source: EventSource | null = null;
  let retry: number | undefined;
  let waitMs = 500;
  let opened = 0;
  let closed = false;
  const batch = createBatch(onEvents);

  const take = (message: MessageEvent<string>): void => {
    const event = parseEvent(message);
    if (event) batch.add(event);
  };

  const connect = (): void => {
    onConnection?.('connecting');
    source = new EventSource(address(), { withCredentials: true });
    source.onopen = () => {
      waitMs = 500;
      onConnection?.('live');
      if (opened++ > 0) onResumed?.();
    };
    source.onmessage = take;
    for (const type of JOB_EVENT_TYPES) source.addEventListener(type, take);
    source.onerror = () => {
      onConnection?.('lost');
      // A browser reconnects by itself, with Last-Event-ID, unless the answer was an error.
      if (source?.readyState !== EventSource.CLOSED || closed) return;
      retry = window.setTimeout(connect, waitMs);
      waitMs = Math.min(waitMs * 2, 15_000);
    };
  };
  connect();

  return () => {
    closed = true;
    window.clearTimeout(retry);
    source?.close();
    batch.close();
  };
}

/** Reads the JSON of one message; the type may stand in the data or be the message's own. */
function parseEvent(message: MessageEvent<string>): JobEvent | null {
  try {
    const event = JSON.parse(message.data) as JobEvent;
    if (typeof event.jobId !== 'string') return null;
    return { ...event, seq: event.seq ?? 0, type: event.type ?? message.type } as JobEvent;
  } catch {
    return null;
  }
}

/** Gathers until the next animation frame; a hidden page, which has none, gets its events four times a second. */
function createBatch(deliver: (events: JobEvent[]) => void): { add: (event: JobEvent) => void; close: () => void } {
  let waiting: JobEvent[] = [];
  let frame = 0;
  let timer = 0;
  const stop = (): void => {
    cancelAnimationFrame(frame);
    window.clearTimeout(timer);
    frame = 0;
    timer = 0;
  };
  const flush = (): void => {
    stop();
    const events = waiting;
    waiting = [];
    if (events.length > 0) deliver(events);
  };
  return {
    add: (event) => {
      waiting.push(event);
      if (timer !== 0) return;
      frame = requestAnimationFrame(flush);
      timer = window.setTimeout(flush, 250);
    },
    close: stop,
  };
}
