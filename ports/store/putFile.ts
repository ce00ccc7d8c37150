/** Sends a file to a presigned address with little work for the processor: a file's bytes pass through two blocks of memory. */
import { open } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { openRequest, textOf } from '../http/ask.ts';

/** Large blocks, as each is a trip to another thread and back; used again, as memory outside the heap makes V8 collect. */
const BLOCK_BYTES = 2 ** 20;

export interface PutFile {
  headers: Record<string, string>;
  path: string;
  /** Of the file, or of its first part that is to be sent. */
  sizeBytes: number;
  signal?: AbortSignal | undefined;
}

/** What the store said. */
export interface PutAnswer {
  status: number;
  text: string;
}

/**
 * Puts the file and answers what the store said; also when the store refuses before it has read all.
 * @throws Error when the store cannot be reached, breaks off, or the file cannot be read or is shorter
 */
export async function putFile(url: string, { headers, path, sizeBytes, signal }: PutFile): Promise<PutAnswer> {
  const request = openRequest(url, {
    method: 'PUT',
    headers: { ...headers, 'content-length': String(sizeBytes) },
    signal,
  });
  const answer = answerOf(request);
  // Awaited below; until then a failure must not end the process.
  answer.catch(() => undefined);
  const answered = answer.then(
    () => true,
    () => true,
  );
  try {
    await sendFile(path, sizeBytes, request, answered);
    return await answer;
  } finally {
    // A store that answered before it had read all would keep the connection half used.
    if (!request.writableEnded) request.destroy();
  }
}

/** Ends early, without an error, when the store has answered or hung up: what it said counts. */
async function sendFile(path: string, sizeBytes: number, request: ClientRequest, answered: Promise<boolean>) {
  const file = await open(path);
  const blocks = [0, 1].map(() => Buffer.allocUnsafe(Math.min(BLOCK_BYTES, sizeBytes)));
  try {
    let before: Promise<boolean> = Promise.resolve(false);
    for (let at = 0, turn = 0; at < sizeBytes; turn += 1) {
      const block = blocks[turn % 2]!;
      const { bytesRead } = await file.read(block, 0, Math.min(block.length, sizeBytes - at), at);
      if (bytesRead === 0) throw new Error(`${path} ended at byte ${at} of ${sizeBytes}`);
      at += bytesRead;
      // The block before must have left its memory before that is filled again.
      if (await before) return;
      before = Promise.race([answered, written(request, block.subarray(0, bytesRead))]);
    }
    if (await before) return;
    request.end();
  } finally {
    await file.close();
  }
}

const written = (request: ClientRequest, bytes: Buffer): Promise<boolean> =>
  new Promise((resolve) => request.write(bytes, (error) => resolve(Boolean(error))));

function answerOf(request: ClientRequest): Promise<PutAnswer> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response: IncomingMessage) => {
      textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
  });
}
