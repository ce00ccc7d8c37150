/** Program of a thread that reads and hashes files: see `threads.ts`. */
import { parentPort } from 'node:worker_threads';
import type { ThreadAnswer, ThreadJob } from './threads.ts';
import { buildPack, cutFile, FileChanged, hashFiles } from './work.ts';

const answer = (message: ThreadAnswer, transfer: ArrayBuffer[] = []): void =>
  parentPort!.postMessage(message, transfer);

parentPort!.on('message', (job: ThreadJob) => {
  try {
    if (job.kind === 'cut') answer({ done: cutFile(job.source, (chunk) => answer({ chunk })) });
    else if (job.kind === 'hash') answer({ done: hashFiles(job.sources) });
    else {
      const pack = buildPack(job.members);
      answer({ done: pack }, [pack.bytes.buffer]);
    }
  } catch (error) {
    if (error instanceof FileChanged) answer({ changed: error.source });
    else {
      const { message, path } = error as NodeJS.ErrnoException;
      answer({ failed: message, source: path });
    }
  }
});
