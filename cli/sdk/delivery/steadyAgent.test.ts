import { createHash } from 'node:crypto';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SteadyAgent } from './steadyAgent.ts';

const random = xoroshiro128plus(20_261_129);
const below = (limit: number): number => (random.next() >>> 0) % limit;
const file = Buffer.from(Uint8Array.from({ length: 3_000_000 }, () => below(256)));
const hash = createHash('sha256').update(file).digest('hex');
const agent = new SteadyAgent({ keepAlive: true, maxSockets: 1 });
let server: Server;
let url: string;
let connections = 0;
/** What the connections read into. */
const memory = new Set<ArrayBufferLike>();

beforeAll(async () => {
  // Pieces of any size, some at once and some after a while; with a length, and in chunks without one.
  server = createServer(async ({ url: path }, response) => {
    if (path === '/length') response.setHeader('content-length', file.length);
    for (let at = 0; at < file.length; ) {
      const bytes = file.subarray(at, at + 1 + below(below(3) === 0 ? 400_000 : 9_000));
      at += bytes.length;
      response.write(bytes);
      if (below(3) === 0) await sleep(1);
    }
    response.end();
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  agent.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const open = (path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = get(url + path, { agent }, resolve);
    request.on('error', reject);
    request.on('socket', (socket) => socket.on('data', ({ buffer }) => memory.add(buffer)));
  });

it.each(['/length', '/chunks'])(
  'hands out the right bytes to whoever takes them late, over one connection (%s)',
  async (path) => {
    for (let turn = 0; turn < 4; turn++) {
      const response = await open(path);
      // A head may bring bytes with it, which wait meanwhile.
      await sleep(5);
      const digest = createHash('sha256');
      for await (const bytes of response as AsyncIterable<Buffer>) {
        digest.update(bytes);
        if (below(4) === 0) await sleep(below(3));
      }
      expect(digest.digest('hex')).toBe(hash);
    }
    expect(connections).toBe(1);
    expect(memory.size).toBe(1);
  },
);
