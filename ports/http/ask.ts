/**
 * One HTTP request with little work for the processor: Node's own client over kept connections, no web streams. Nodes, site
 * agents and dispatch ask each other many small things; `fetch` took several times as long for each.
 */
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';

/** Idle connections are closed a little before servers of the farm would close them (Fastify: 72 s, Node: 5 s). */
const IDLE_MS = 4_000;
/** Connections that are kept for the next request. */
export const kept = {
  plain: new Agent({ keepAlive: true, timeout: IDLE_MS }),
  secure: new SecureAgent({ keepAlive: true, timeout: IDLE_MS }),
};

export interface Question {
  method?: 'GET' | 'POST' | 'PUT';
  headers?: Record<string, string>;
  /** Sent with its length. */
  body?: string;
  signal?: AbortSignal | undefined;
  /** Longest time until the answer's head is there, milliseconds; default: no bound. */
  waitMs?: number | undefined;
}

/**
 * Asks, and answers with head and body to be read. What is asked must bear being said twice: a request on a kept connection
 * that the other side had just closed is sent once more.
 * @throws Error when nothing answers, with the reason of the signal when that ended it
 */
export const ask = (url: string, question: Question = {}): Promise<IncomingMessage> =>
  onceMore(question.signal, () => send(url, question));

/** Sends, and sends again where a kept connection turned out to be closed. */
export async function onceMore<T>(signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (signal?.aborted || !(error instanceof StaleConnection)) throw error;
    return send();
  }
}

/** An answer that is a text is small: its body comes within this time, or it does not come, milliseconds. */
const TEXT_MS = 30_000;

/** @returns the whole body as text. @throws Error when it breaks off, or does not end in time */
export const textOf = async (answer: IncomingMessage): Promise<string> => (await bytesOf(answer)).toString();

/** As `textOf`, of a body that is small too. */
export async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  const deadline = setTimeout(() => answer.destroy(new Error('the answer did not end')), TEXT_MS);
  try {
    for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
  } finally {
    clearTimeout(deadline);
  }
  if (!answer.complete) throw new Error('the answer broke off');
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Opens a request; a body that is no string is written by the caller. */
export function openRequest(
  url: string,
  { method = 'GET', headers = {}, signal }: Pick<Question, 'method' | 'headers' | 'signal'>,
): ClientRequest {
  const options = { method, headers, ...(signal ? { signal } : {}) };
  return url.startsWith('https:')
    ? requestHttps(url, { ...options, agent: kept.secure })
    : requestHttp(url, { ...options, agent: kept.plain });
}

class StaleConnection extends Error {}

/** What a request failed with; one that came too late on a kept connection is told by its kind. */
export function failureOf(request: ClientRequest, error: NodeJS.ErrnoException): Error {
  const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
  return isStale ? new StaleConnection(error.message, { cause: error }) : error;
}

function send(url: string, { body, waitMs, ...head }: Question): Promise<IncomingMessage> {
  const headers = {
    ...head.headers,
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  };
  return new Promise((resolve, reject) => {
    const request = openRequest(url, { ...head, headers });
    const deadline =
      waitMs === undefined
        ? undefined
        : setTimeout(() => request.destroy(new Error(`no answer within ${waitMs / 1000} s`)), waitMs);
    request.once('response', (answer) => {
      clearTimeout(deadline);
      resolve(answer);
    });
    request.on('error', (error) => {
      clearTimeout(deadline);
      reject(head.signal?.aborted ? head.signal.reason : failureOf(request, error));
    });
    request.end(body);
  });
}
