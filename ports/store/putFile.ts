/** Sends a file to a presigned address with little work for the processor: no web streams, large reads, kept connections. */
import { createReadStream } from 'node:fs';
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import { pipeline } from 'node:stream/promises';

const plain = new Agent({ keepAlive: true });
const secure = new SecureAgent({ keepAlive: true });

export interface PutFile {
  headers: Record<string, string>;
  path: string;
  sizeBytes: number;
  signal?: AbortSignal | undefined;
}

/**
 * Puts the file and answers what the store said, with its whole body; also when the store refuses before it has read all.
 * @throws Error when the store cannot be reached, breaks off, or the file cannot be read
 */
export async function putFile(url: string, { headers, path, sizeBytes, signal }: PutFile): Promise<Response> {
  const options = {
    method: 'PUT',
    headers: { ...headers, 'content-length': String(sizeBytes) },
    ...(signal ? { signal } : {}),
  };
  const request = url.startsWith('https:')
    ? requestHttps(url, { ...options, agent: secure })
    : requestHttp(url, { ...options, agent: plain });
  const answer = answerOf(request);
  // Awaited below; until then a failure must not end the process.
  answer.catch(() => undefined);
  const sent = pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), request);
  // A store that refuses ends the connection in the middle of the file; what it said counts.
  const failed = sent.then(
    () => null,
    (error: unknown) => ({ error }),
  );
  try {
    return await answer;
  } catch (error) {
    throw (await failed)?.error ?? error;
  }
}

function answerOf(request: ClientRequest): Promise<Response> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        resolve(new Response(status === 204 ? null : Buffer.concat(parts), { status }));
      });
    });
  });
}
