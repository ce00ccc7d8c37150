/** Hashes a project's files in a worker. */
import { ApiError, localProblem } from '../api/client.ts';
import type { SubmittedFile } from '../api/types.ts';
import type { ProjectFile } from './files.ts';
import type { HashAnswer, HashRequest } from './hashWorker.ts';

export interface Hashing {
  /** All files with size and SHA-256, in the given order. */
  done: Promise<SubmittedFile[]>;
  stop: () => void;
}

/**
 * @param onProgress gets the bytes hashed so far
 * @throws (through `done`) ApiError `FileNotFound` for a file that cannot be read, as when it was moved meanwhile
 */
export function hashFiles(files: readonly ProjectFile[], onProgress: (bytes: number) => void): Hashing {
  const worker = new Worker(new URL('./hashWorker.ts', import.meta.url), { type: 'module' });
  const hashes: string[] = [];
  const bytes = new Float64Array(files.length);
  let left = files.length;
  const done = new Promise<SubmittedFile[]>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<HashAnswer>) => {
      const { path } = files[data.key] as ProjectFile;
      bytes[data.key] = data.bytes;
      onProgress(bytes.reduce((sum, count) => sum + count, 0));
      if (data.error !== undefined) {
        const place = { file: path };
        reject(
          new ApiError(
            localProblem(
              'FileNotFound',
              `${path} cannot be read: ${data.error}`,
              'Choose the files again.',
              'user',
              place,
            ),
          ),
        );
        worker.terminate();
      }
      if (data.hash === undefined) return;
      hashes[data.key] = data.hash;
      left -= 1;
      if (left > 0) return;
      worker.terminate();
      resolve(files.map((one, index) => ({ path: one.path, sizeBytes: one.file.size, hash: hashes[index] as string })));
    };
    worker.onerror = (event) => reject(new Error(event.message || 'The hashing worker failed.'));
  });
  // A drop that is replaced by another leaves nobody waiting.
  done.catch(() => undefined);
  for (const [key, { file }] of files.entries()) worker.postMessage({ key, file } satisfies HashRequest);
  return { done, stop: () => worker.terminate() };
}
