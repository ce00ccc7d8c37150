/** Sends blobs to the addresses that the API signed for exactly their bytes. */
import { ApiError, localProblem } from '../api/client.ts';
import type { MissingBlob, SubmittedFile } from '../api/types.ts';
import type { ProjectFile } from './files.ts';

const AT_ONCE = 4;
const TRIES = 3;
/** Set by browsers themselves; a page that names them is refused. */
const BROWSERS_OWN = new Set(['host', 'content-length', 'connection']);

/**
 * Uploads what the store lacks, four at a time; a lost connection is tried again twice.
 * @param onProgress gets the bytes sent so far
 * @throws ApiError `HashMismatch` when the store refuses the bytes, `StoreFailed` when it cannot be reached
 */
export async function uploadBlobs(
  missing: readonly MissingBlob[],
  files: readonly ProjectFile[],
  hashed: readonly SubmittedFile[],
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const byHash = new Map(hashed.map((one, index) => [one.hash, files[index] as ProjectFile]));
  const sent = new Float64Array(missing.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < missing.length && !signal.aborted) {
      const index = next++;
      const blob = missing[index] as MissingBlob;
      const source = byHash.get(blob.hash);
      if (!source) throw new Error(`The store asks for ${blob.hash}, which is none of the files.`);
      await withRetry(() =>
        put(blob, source, signal, (bytes) => {
          sent[index] = bytes;
          onProgress(sent.reduce((sum, count) => sum + count, 0));
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, missing.length) }, lane));
}

async function withRetry(send: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const retryable = error instanceof ApiError && error.problem.retryable;
      if (!retryable || attempt === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 400 * attempt));
    }
  }
}

/** One PUT; XMLHttpRequest, as `fetch` does not tell how much of a body was sent. */
function put(
  blob: MissingBlob,
  { path, file }: ProjectFile,
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open('PUT', blob.url);
    for (const [name, value] of Object.entries(blob.headers)) {
      if (!BROWSERS_OWN.has(name.toLowerCase())) call.setRequestHeader(name, value);
    }
    const abort = (): void => call.abort();
    signal.addEventListener('abort', abort, { once: true });
    const fail = (code: string, detail: string, remedy: string, fault: 'user' | 'system'): void =>
      reject(new ApiError(localProblem(code, detail, remedy, fault, { file: path })));
    call.upload.onprogress = (event) => onSent(event.loaded);
    call.onload = () => {
      signal.removeEventListener('abort', abort);
      if (call.status >= 200 && call.status < 300) {
        onSent(file.size);
        resolve();
      } else if (call.status === 400) {
        fail(
          'HashMismatch',
          `The store refused ${path}: its bytes changed since they were hashed.`,
          'Choose the files again.',
          'user',
        );
      } else {
        fail(
          'StoreFailed',
          `The store answered ${call.status} to ${path}.`,
          'Try again; see "farm doctor" if it stays.',
          'system',
        );
      }
    };
    call.onerror = () =>
      fail(
        'StoreFailed',
        `The store cannot be reached for ${path}.`,
        'Try again; see "farm doctor" if it stays.',
        'system',
      );
    call.onabort = () => reject(new DOMException('Upload stopped.', 'AbortError'));
    // A blob without type: the browser would add a Content-Type of its own.
    call.send(file.slice(0, file.size, ''));
  });
}
