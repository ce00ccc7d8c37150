/** Server-sent events (WHATWG HTML, 9.2) over a Fastify reply: one event a message, a comment now and then to keep proxies awake. */
import type { FastifyReply, FastifyRequest } from 'fastify';

export interface SseMessage {
  /** Becomes the browser's `Last-Event-ID`; left out for what cannot be resumed from. */
  id?: string;
  /** Type that listeners subscribe to; default `message`. */
  event?: string;
  data: unknown;
}

export interface SseStream {
  /** Answers false when the other side reads too slowly or is gone: wait for `drained`. */
  send(message: SseMessage): boolean;
  /** Resolves when there is room again, or the stream closed. */
  drained(): Promise<void>;
  readonly closed: boolean;
  onClose(callback: () => void): void;
  end(): void;
}

const KEEP_ALIVE_MS = 15_000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 2_000;

/** Takes the reply over. Call it after everything that could be refused. */
export function openSse(request: FastifyRequest, reply: FastifyReply): SseStream {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'keep-alive',
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
  });
  raw.write(`retry: ${RETRY_MS}\n\n`);
  let closed = false;
  const callbacks: (() => void)[] = [];
  const keepAlive = setInterval(() => raw.write(': \n\n'), KEEP_ALIVE_MS);
  const close = (): void => {
    if (closed) return;
    closed = true;
    clearInterval(keepAlive);
    for (const callback of callbacks) callback();
  };
  raw.on('close', close);
  raw.on('error', close);
  return {
    send({ id, event, data }) {
      if (closed) return false;
      const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`;
      return raw.write(`${head}data: ${JSON.stringify(data)}\n\n`);
    },
    async drained() {
      if (closed || !raw.writableNeedDrain) return;
      await new Promise<void>((resolve) => {
        raw.once('drain', resolve);
        callbacks.push(resolve);
      });
    },
    get closed() {
      return closed;
    },
    onClose: (callback) => void callbacks.push(callback),
    end() {
      close();
      raw.end();
    },
  };
}
