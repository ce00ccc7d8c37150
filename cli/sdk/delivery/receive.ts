/** One stream from an address into a file, hashed while it is written. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open as openFile, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { BlockWriter } from '../../../ports/http/blockWriter.ts';
import { type FileAnswer, type GetFile, getFile, openGet } from '../../../ports/http/getFile.ts';
import { onDisk } from './diskErrors.ts';
import { TRANSIT_HEADER, TRANSIT_TYPE } from './transit.ts';
import { decodeTransit } from './transitDecoder.ts';

/** A part of so many bytes at most is hashed while the rest is asked for: the link need not wait for it. */
const QUICKLY_HASHED_BYTES = 256 * 2 ** 20;

/** One address of a file. */
export interface Source {
  url: string;
  /** A site agent's address, which compresses for the way: where that helps, or always. Absent: bytes come as they are. */
  transit?: 'auto' | 'on';
}

export interface Way {
  signal: AbortSignal | undefined;
  /** A source that sends nothing for so long is given up, milliseconds. */
  stallMs: number;
}

export interface Received {
  /** SHA-256 of the whole file on disk, lower-case hex. */
  hash: string;
  sizeBytes: number;
  /** What crossed the network now. */
  receivedBytes: number;
}

/**
 * Brings the file `part` to `sizeBytes` bytes: what is there already is hashed and kept, the rest is asked for. The bytes
 * are written when it returns, but perhaps not on the disk yet (fsync).
 * @throws DiskError, or Error with what the source answered; the part stays, for the next try to go on from
 */
export async function receive(from: Source, part: string, sizeBytes: number, way: Way): Promise<Received> {
  let have = await keptBytes(part, sizeBytes);
  const hashing = have > 0 ? digestOf(part).catch(onDisk) : Promise.resolve(createHash('sha256'));
  if (have === sizeBytes) return { hash: (await hashing).digest('hex'), sizeBytes, receivedBytes: 0 };
  let receivedBytes = 0;
  // A source whose bytes nobody takes seems silent.
  if (have > QUICKLY_HASHED_BYTES) await hashing;
  hashing.catch(() => undefined);
  const answer = await openBody(from, have, way, (bytes) => {
    receivedBytes += bytes;
  });
  let digest = await hashing.catch((error: unknown) => {
    answer.destroy();
    throw error;
  });
  if (have > 0 && answer.status === 200) {
    // The source knows no ranges and begins again.
    digest = createHash('sha256');
    have = 0;
  } else if (answer.status !== (have > 0 ? 206 : 200)) {
    answer.destroy();
    throw new Error(`the store answered ${answer.status}`);
  }
  const file = await openFile(part, have > 0 ? 'a' : 'w').catch((error: unknown) => {
    answer.destroy();
    return onDisk(error);
  });
  try {
    const disk = new BlockWriter(file);
    try {
      await answer.read((bytes) => {
        digest.update(bytes);
        have += bytes.length;
        // The bytes are copied before it waits.
        return disk.write(bytes)?.catch(onDisk);
      });
    } finally {
      // What came before a break is gone on with.
      await disk.flush().catch(onDisk);
    }
  } finally {
    await file.close();
  }
  return { hash: digest.digest('hex'), sizeBytes: have, receivedBytes };
}

type Body = Pick<FileAnswer, 'status' | 'read' | 'destroy'>;

/** The file's bytes from `from` on, unpacked where they come packed. @param count told of what crosses the network */
async function openBody(source: Source, from: number, way: Way, count: (bytes: number) => void): Promise<Body> {
  if (source.transit) {
    const response = await openSource(source, from, way);
    const isPacked = response.headers['content-type'] === TRANSIT_TYPE;
    return {
      status: response.statusCode ?? 0,
      destroy: () => void response.destroy(),
      async read(take) {
        for await (const bytes of isPacked ? decodeTransit(response, count) : (response as AsyncIterable<Buffer>)) {
          if (!isPacked) count(bytes.length);
          await take(bytes);
        }
      },
    };
  }
  const answer = await getFile(source.url, questionOf(source, from, way));
  return {
    ...answer,
    read: (take) =>
      answer.read((bytes) => {
        count(bytes.length);
        return take(bytes);
      }),
  };
}

/** What an earlier try left; a part that is longer than the file is nothing to go on from. */
async function keptBytes(part: string, sizeBytes: number): Promise<number> {
  const size = (await stat(part).catch(() => undefined))?.size ?? 0;
  return size > sizeBytes ? 0 : size;
}

/** SHA-256 over a file's bytes, not finished yet. */
export async function digestOf(path: string): Promise<Hash> {
  const digest = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 2 ** 20 })) digest.update(bytes as Buffer);
  return digest;
}

/** Asks for a file from byte `from` on, as a stream. Throws when nobody answers or the source falls silent. */
export const openSource = (source: Source, from: number, way: Way): Promise<IncomingMessage> =>
  openGet(source.url, questionOf(source, from, way));

const questionOf = ({ transit }: Source, from: number, { signal, stallMs }: Way): GetFile => ({
  headers: {
    ...(from > 0 ? { range: `bytes=${from}-` } : {}),
    ...(transit ? { [TRANSIT_HEADER]: transit } : {}),
  },
  signal,
  silenceMs: stallMs,
});
