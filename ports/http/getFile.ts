/**
 * A file over HTTP with little work for the processor: Node reads the answer's head, and the body goes from the socket's
 * memory to whoever takes it. Through Node's parser and streams a body took 2 to 9 times as long.
 */
import { type Agent, get as getHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { failureOf, kept, onceMore } from './ask.ts';
import { SteadyAgent, tapSocket } from './steadyAgent.ts';

const steady = new SteadyAgent();
/** A smaller body goes through the parser: a new connection, which `SteadyAgent` needs for each, would cost more. */
const SMALL_BYTES = 128 * 1024;

export interface GetFile {
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** A source that sends nothing for so long is given up, milliseconds. */
  silenceMs: number;
  /** What is awaited, about; default: much. */
  sizeBytes?: number;
}

/**
 * Takes a piece of a body. The memory is used again as soon as it returns, or its promise is kept; until then nothing more
 * is read.
 */
export type TakePiece = (bytes: Buffer) => Promise<void> | undefined;

export interface FileAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The body to its end. @throws what `take` throws; Error when the source breaks off or falls silent */
  read(take: TakePiece): Promise<void>;
  /** Ends it without the body, or what is left of it. */
  destroy(): void;
}

/** @throws Error when nobody answers or the source falls silent */
export async function getFile(url: string, question: GetFile): Promise<FileAnswer> {
  const isTapped = !url.startsWith('https:') && (question.sizeBytes ?? Number.POSITIVE_INFINITY) >= SMALL_BYTES;
  const response = await openGet(url, question, isTapped ? steady : undefined);
  const length = isTapped ? lengthOf(response) : null;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    read: (take) => (length === null ? readStream(response, take) : readTapped(response, length, take)),
    destroy: () => void response.destroy(),
  };
}

/**
 * The same as a stream, for whoever keeps the pieces.
 * @param agent of plain HTTP; default: kept connections
 */
export function openGet(
  url: string,
  { headers = {}, signal, silenceMs }: GetFile,
  agent: Agent = kept.plain,
): Promise<IncomingMessage> {
  const options = { headers, timeout: silenceMs, ...(signal ? { signal } : {}) };
  const send = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = url.startsWith('https:')
        ? getHttps(url, { ...options, agent: kept.secure }, resolve)
        : getHttp(url, { ...options, agent }, resolve);
      request.on('timeout', () => request.destroy(new Error(`the source sent nothing for ${silenceMs / 1000} s`)));
      request.on('error', (error) => reject(failureOf(request, error)));
    });
  return onceMore(signal, send);
}

/** Null where the head does not say it, and only the parser knows where the body ends. */
function lengthOf({ headers }: IncomingMessage): number | null {
  if (headers['transfer-encoding'] !== undefined || headers['content-length'] === undefined) return null;
  return Number(headers['content-length']);
}

async function readStream(response: IncomingMessage, take: TakePiece): Promise<void> {
  for await (const bytes of response as AsyncIterable<Buffer>) await take(bytes);
}

async function readTapped(response: IncomingMessage, length: number, take: TakePiece): Promise<void> {
  const { socket } = response;
  let left = length;
  try {
    // What came with the head lies in the answer's queue, and more may come while it is taken.
    for (let queued = response.read() as Buffer | null; queued; queued = response.read() as Buffer | null) {
      left -= queued.length;
      await take(queued);
    }
    if (left > 0) await readRest();
  } finally {
    response.on('error', () => undefined);
    response.destroy();
  }

  function readRest(): Promise<void> {
    return new Promise((resolve, reject) => {
      const failure = (): Error => response.errored ?? new Error(`the source broke off ${left} bytes before the end`);
      if (socket.destroyed) {
        reject(failure());
        return;
      }
      response.once('error', reject);
      response.once('close', () => reject(failure()));
      socket.once('close', () => reject(failure()));
      const goOn = (): void => {
        if (left === 0) resolve();
        else socket.resume();
      };
      tapSocket(socket, (all) => {
        const bytes = all.length > left ? all.subarray(0, left) : all;
        left -= bytes.length;
        try {
          const taken = take(bytes);
          if (!taken) {
            if (left === 0) resolve();
            return left > 0;
          }
          taken.then(goOn, reject);
        } catch (error) {
          reject(error);
        }
        return false;
      });
      socket.resume();
    });
  }
}
