/**
 * The supervisor's door: HTTP over a Unix socket in the farm's home, for its owner alone. `farm up`, `down`, `status`,
 * `doctor` and the demonstration speak through it.
 */
import { createHash } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERROR_CATALOGUE, FarmError, fromProblem, type Problem, toProblem } from '../../domain/errors.ts';

/** Paths of Unix sockets are short everywhere: 104 bytes on macOS, 108 on Linux. */
const LONGEST_PATH = 100;

/** Where the socket of a home is. */
export function socketPath(home: string): string {
  const path = join(home, 'supervisor.sock');
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path;
  return join(tmpdir(), `framewright-${createHash('sha256').update(home).digest('hex').slice(0, 16)}.sock`);
}

/** What the supervisor does when asked; `path` is `/status` and the like. */
export type Handler = (method: string, path: string) => Promise<unknown>;

/** Opens the door. The caller holds the home's lock, so a socket that is there is a dead supervisor's. */
export async function openDoor(home: string, handle: Handler): Promise<Server> {
  const path = socketPath(home);
  rmSync(path, { force: true });
  const server = createServer((incoming, outgoing) => {
    const answer = (status: number, body: unknown) => {
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(body ?? null));
    };
    handle(incoming.method ?? 'GET', incoming.url ?? '/').then(
      (body) => answer(200, body),
      (error) => {
        const problem = toProblem(error);
        answer(ERROR_CATALOGUE[problem.code].status, problem);
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}

/**
 * Asks the supervisor of a home.
 * @throws FarmError `StackNotRunning` when nobody answers; what the supervisor throws otherwise
 */
export function ask<T>(home: string, method: 'GET' | 'POST', path: string, timeoutMs = 60_000): Promise<T> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: socketPath(home), method, path, timeout: timeoutMs }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      incoming.on('end', () => {
        const body = JSON.parse(text || 'null');
        if (incoming.statusCode === 200) resolve(body as T);
        else reject(fromProblem(body as Problem));
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', (cause) =>
      reject(new FarmError('StackNotRunning', `No farm is running in ${home}.`, { home }, { cause })),
    );
    outgoing.end();
  });
}
