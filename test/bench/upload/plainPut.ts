/** What the upload is compared with: files put to S3 in parallel pieces, without a word about what is there already. */
import { open } from 'node:fs/promises';
import { Client } from 'minio';
import { Putter } from '../../../cli/sdk/upload/put.ts';
import type { LocalFile } from '../../../cli/sdk/upload/upload.ts';

/**
 * `s3 client`: the `minio` package, which signs each body with its SHA-256, as S3 clients do over plain HTTP.
 * `unsigned put`: presigned addresses with an unsigned payload, so that neither side hashes with SHA-256.
 */
export const PLAIN_CLIENTS = ['s3 client', 'unsigned put'] as const;
type PlainClient = (typeof PLAIN_CLIENTS)[number];

const PIECE_BYTES = 8 * 2 ** 20;
const PARALLEL = 8;
const BUCKET = 'plain-put';

/** Makes a bucket of its own. */
export async function openPlainPut({
  port,
  accessKey,
  secretKey,
}: {
  port: number;
  accessKey: string;
  secretKey: string;
}) {
  const client = new Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey, secretKey, region: 'us-east-1' });
  await client.makeBucket(BUCKET, 'us-east-1');
  let count = 0;

  async function putPiece(way: PlainClient, putter: Putter, bytes: Buffer): Promise<void> {
    const name = `piece-${count++}`;
    if (way === 's3 client') {
      await client.putObject(BUCKET, name, bytes, bytes.length);
      return;
    }
    const url = await client.presignedPutObject(BUCKET, name, 3_600);
    const { status, text } = await putter.put(url, {}, bytes, new AbortController().signal);
    if (status !== 200) throw new Error(`The store answered ${status}: ${text}`);
  }

  return {
    async put(way: PlainClient, files: readonly LocalFile[]): Promise<void> {
      const pieces = files.flatMap(({ source, sizeBytes }) =>
        Array.from({ length: Math.ceil(sizeBytes / PIECE_BYTES) }, (_, index) => {
          const offset = index * PIECE_BYTES;
          return { source, offset, sizeBytes: Math.min(PIECE_BYTES, sizeBytes - offset) };
        }),
      );
      const putter = new Putter();
      const worker = async (): Promise<void> => {
        for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
          const bytes = Buffer.allocUnsafeSlow(piece.sizeBytes);
          const file = await open(piece.source);
          await file.read(bytes, 0, piece.sizeBytes, piece.offset);
          await file.close();
          await putPiece(way, putter, bytes);
        }
      };
      await Promise.all(Array.from({ length: PARALLEL }, worker));
      putter.close();
    },
  };
}
