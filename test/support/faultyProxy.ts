/** A way to a real store that has one fault at one byte of every object: what a bad disk, a lost link or a liar looks like. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * At byte `at` of an object (wherever a request begins): the byte is another; nothing comes any more, the connection stays;
 * the connection ends; the rest comes at a rate. Faults at or before the first byte asked for also swallow the answer's head.
 */
export type Fault =
  | { kind: 'wrong'; at: number }
  | { kind: 'silent' | 'closed'; at: number }
  | { kind: 'slow'; at: number; bytesPerSecond: number };

export interface FaultyProxy {
  /** The store's address by way of here; addresses must be signed for it. */
  url: string;
  /** Null: bytes pass as they are. Counts for requests that come after. */
  fault: Fault | null;
  /** Bytes of objects that went out so far. */
  readonly sentBytes: number;
  close(): Promise<void>;
}

/** A slow answer is sent in pieces of this many milliseconds. */
const TICK_MS = 20;

/** @param target URL of an S3 store on this machine */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  let sentBytes = 0;
  const server = createServer((asked, answer) => {
    const { method, url: path, headers } = asked;
    // The host is part of what was signed.
    const toStore = request({ hostname, port, method, path, headers }, (came) => {
      pass(came, answer, proxy.fault, firstByte(asked)).catch(() => answer.destroy());
    });
    toStore.on('error', () => answer.destroy());
    answer.on('close', () => toStore.destroy());
    asked.pipe(toStore);
  });

  async function pass(came: IncomingMessage, answer: ServerResponse, fault: Fault | null, from: number): Promise<void> {
    let at = from;
    const isObject = came.statusCode === 200 || came.statusCode === 206;
    const stops = isObject && (fault?.kind === 'silent' || fault?.kind === 'closed') ? fault : null;
    if (stops && stops.at <= from) return stop(stops.kind, answer);
    answer.writeHead(came.statusCode ?? 502, came.headers);
    for await (const chunk of came as AsyncIterable<Buffer>) {
      let bytes = chunk;
      if (isObject && fault?.kind === 'wrong' && fault.at >= at && fault.at < at + bytes.length) {
        bytes = Buffer.from(bytes);
        bytes[fault.at - at]! ^= 1;
      }
      if (stops && stops.at < at + bytes.length) {
        await send(answer, bytes.subarray(0, stops.at - at));
        return stop(stops.kind, answer);
      }
      if (isObject && fault?.kind === 'slow' && fault.at < at + bytes.length) {
        const full = Math.max(0, fault.at - at);
        await send(answer, bytes.subarray(0, full));
        const step = Math.max(1, Math.round((fault.bytesPerSecond * TICK_MS) / 1000));
        for (let place = full; place < bytes.length; place += step) {
          await sleep(TICK_MS);
          await send(answer, bytes.subarray(place, place + step));
        }
      } else await send(answer, bytes);
      at += bytes.length;
    }
    answer.end();
  }

  async function send(answer: ServerResponse, bytes: Buffer): Promise<void> {
    if (answer.destroyed) throw new Error('nobody listens');
    sentBytes += bytes.length;
    if (answer.write(bytes)) return;
    const either = new AbortController();
    const { signal } = either;
    await Promise.race([once(answer, 'drain', { signal }), once(answer, 'close', { signal })]).finally(() =>
      either.abort(),
    );
  }

  function stop(kind: 'silent' | 'closed', answer: ServerResponse): void {
    // What was sent before still arrives.
    if (kind === 'closed') answer.socket?.destroySoon();
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: null as Fault | null,
    get sentBytes() {
      return sentBytes;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return proxy;
}

/** Where in the object a request begins. */
const firstByte = ({ headers }: IncomingMessage): number => Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
