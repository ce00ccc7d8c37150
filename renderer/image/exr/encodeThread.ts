/** Program of a thread that encodes chunks: see `encoderPool.ts`. */
import { parentPort } from 'node:worker_threads';
import { type ChunkChannel, encodeChunk } from './chunk.ts';
import type { WritableCompression } from './format.ts';

/** Channels hold the chunk's lines only. */
export interface ChunkJob {
  channels: ChunkChannel[];
  width: number;
  lines: number;
  compression: WritableCompression;
}

export type ChunkAnswer = { body: Uint8Array } | { error: string };

parentPort!.on('message', ({ channels, width, lines, compression }: ChunkJob) => {
  try {
    const body = encodeChunk(channels, width, 0, lines, compression);
    // A body that is a view of something larger (or of Node's pool) is copied out first.
    const own = body.byteLength === body.buffer.byteLength ? body : body.slice();
    parentPort!.postMessage({ body: own } satisfies ChunkAnswer, [own.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort!.postMessage({ error: String(error instanceof Error ? error.stack : error) } satisfies ChunkAnswer);
  }
});
