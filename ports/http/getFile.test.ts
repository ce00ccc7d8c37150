import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { getFile } from './getFile.ts';

const random = xoroshiro128plus(20_261_129);
const below = (limit: number): number => (random.next() >>> 0) % limit;
const file = Buffer.from(Uint8Array.from({ length: 3_000_000 }, () => below(256)));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const silenceMs = 5_000;
let server: Server;
let url: string;
/** Open connections. */
let connections = 0;

beforeAll(async () => {
  // Pieces of any size, some at once and some after a while.
  server = createServer(async ({ url: path, headers }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    response.statusCode = from > 0 ? 206 : 200;
    if (path === '/none') response.statusCode = 404;
    if (path !== '/chunks') response.setHeader('content-length', path === '/empty' ? 0 : file.length - from);
    if (path === '/empty') return response.end();
    // The head alone, so that nothing of the body comes with it.
    if (path === '/head-first') {
      response.flushHeaders();
      await sleep(20);
    }
    const until = path === '/breaks' || path === '/silent' ? 1_234_567 : file.length;
    for (let at = from; at < until; ) {
      const bytes = file.subarray(at, Math.min(until, at + 1 + below(below(3) === 0 ? 400_000 : 9_000)));
      at += bytes.length;
      response.write(bytes);
      if (below(3) === 0) await sleep(1);
    }
    if (path === '/silent') return;
    if (path === '/breaks') response.socket?.end();
    else response.end();
  });
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('close', () => {
      connections -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Reads with a taker that is late now and then. */
async function readAll(path: string, headers: Record<string, string> = {}, ms = silenceMs) {
  const answer = await getFile(url + path, { headers, silenceMs: ms });
  const parts: Buffer[] = [];
  const memory = new Map<ArrayBufferLike, number>();
  const failure = await answer
    .read((bytes) => {
      memory.set(bytes.buffer, (memory.get(bytes.buffer) ?? 0) + bytes.length);
      if (below(4) > 0) {
        parts.push(Buffer.from(bytes));
        return undefined;
      }
      return sleep(below(3)).then(() => {
        // Only now: it must be there still.
        parts.push(Buffer.from(bytes));
      });
    })
    .catch((error: Error) => error);
  return { answer, bytes: Buffer.concat(parts), memory, failure };
}

it.each(['/length', '/head-first'])('hands out the bytes in memory that is used again (%s)', async (path) => {
  for (let turn = 0; turn < 3; turn += 1) {
    const { answer, bytes, memory, failure } = await readAll(path);
    expect(failure).toBeUndefined();
    expect(answer.status).toBe(200);
    expect(sha256(bytes)).toBe(sha256(file));
    // All but what came with the head went past the parser.
    expect(Math.max(...memory.values())).toBeGreaterThan(file.length / 2);
  }
});

it('reads a body whose length is not told', async () => {
  const { bytes, failure } = await readAll('/chunks');
  expect(failure).toBeUndefined();
  expect(sha256(bytes)).toBe(sha256(file));
});

it('reads a body from a byte on, one of no bytes, and tells of one that is not there', async () => {
  const rest = await readAll('/length', { range: 'bytes=1000000-' });
  expect(rest.answer.status).toBe(206);
  expect(sha256(rest.bytes)).toBe(sha256(file.subarray(1_000_000)));
  expect((await readAll('/empty')).bytes.length).toBe(0);
  const none = await getFile(`${url}/none`, { silenceMs });
  expect(none.status).toBe(404);
  none.destroy();
});

it('keeps what came before a source broke off or fell silent, and says so', async () => {
  const broken = await readAll('/breaks');
  expect(broken.failure).toBeInstanceOf(Error);
  expect(sha256(broken.bytes)).toBe(sha256(file.subarray(0, 1_234_567)));
  const silent = await readAll('/silent', {}, 300);
  expect(silent.failure).toBeInstanceOf(Error);
  expect(sha256(silent.bytes)).toBe(sha256(file.subarray(0, 1_234_567)));
  await expect(getFile('http://127.0.0.1:1/', { silenceMs })).rejects.toThrow('ECONNREFUSED');
});

it('ends the connection when the taker fails or it is told to stop', async () => {
  const thrown = await getFile(`${url}/length`, { silenceMs });
  let pieces = 0;
  const failing = (): Promise<void> | undefined => {
    pieces += 1;
    if (pieces === 3) throw new Error('no more');
    return pieces === 2 ? Promise.resolve() : undefined;
  };
  await expect(thrown.read(failing)).rejects.toThrow('no more');
  const late = await getFile(`${url}/length`, { silenceMs });
  await expect(late.read(() => Promise.reject(new Error('the disk is full')))).rejects.toThrow('the disk is full');
  const stop = new AbortController();
  const stopped = await getFile(`${url}/silent`, { silenceMs, signal: stop.signal });
  setTimeout(() => stop.abort(), 50);
  await expect(stopped.read(() => undefined)).rejects.toThrow();
  await expect.poll(() => connections).toBe(0);
});
