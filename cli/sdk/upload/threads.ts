/** Threads that read and hash files, as many as the machine runs at once. Little work is done without them. */
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildPack, type Chunk, cutFile, FileChanged, hashFiles, type PackMember, type ReadFile } from './work.ts';

export type ThreadJob =
  | { kind: 'cut'; source: string }
  | { kind: 'hash'; sources: string[] }
  | { kind: 'pack'; members: PackMember[] };

type Pack = ReturnType<typeof buildPack>;
export type ThreadAnswer =
  | { chunk: Chunk }
  | { done: ReadFile | (ReadFile | null)[] | Pack }
  | { changed: string }
  | { failed: string; source: string | undefined };

const MOST_THREADS = 8;

/** What `work.ts` does, on threads. Calls wait for a free one. Close it. */
export class HashingThreads {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: ((worker: Worker | null) => void)[] = [];
  readonly #most: number;
  #closed = false;

  /** @param threads at most; 0: everything is done where it is called */
  constructor(threads = Math.min(MOST_THREADS, os.availableParallelism())) {
    this.#most = threads;
  }

  /** See `cutFile`. */
  async cut(source: string, onChunk: (chunk: Chunk) => void): Promise<ReadFile> {
    if (this.#most === 0) return cutFile(source, onChunk);
    return (await this.#ask({ kind: 'cut', source }, onChunk)) as ReadFile;
  }

  /** See `hashFiles`. */
  async hash(sources: string[]): Promise<(ReadFile | null)[]> {
    if (this.#most === 0) return hashFiles(sources);
    return (await this.#ask({ kind: 'hash', sources })) as (ReadFile | null)[];
  }

  /** See `buildPack`. */
  async pack(members: PackMember[]): Promise<Pack> {
    if (this.#most === 0) return buildPack(members);
    return (await this.#ask({ kind: 'pack', members })) as Pack;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake(null);
    await Promise.all(this.#all.map((worker) => worker.terminate()));
  }

  async #ask(job: ThreadJob, onChunk?: (chunk: Chunk) => void): Promise<unknown> {
    const worker = await this.#take();
    try {
      return await new Promise((resolve, reject) => {
        const onExit = () => end(() => reject(new Error('A thread that hashes files ended.')));
        const onMessage = (answer: ThreadAnswer) => {
          if ('chunk' in answer) onChunk?.(answer.chunk);
          else if ('done' in answer) end(() => resolve(answer.done));
          else if ('changed' in answer) end(() => reject(new FileChanged(answer.changed)));
          else end(() => reject(Object.assign(new Error(answer.failed), { path: answer.source })));
        };
        const onError = (error: unknown) => end(() => reject(error));
        const end = (settle: () => void) => {
          worker.off('message', onMessage).off('error', onError).off('exit', onExit);
          settle();
        };
        worker.on('message', onMessage).on('error', onError).on('exit', onExit);
        worker.postMessage(job);
      });
    } finally {
      const next = this.#waiting.shift();
      if (next) next(worker);
      else this.#idle.push(worker);
    }
  }

  async #take(): Promise<Worker> {
    let worker: Worker | null | undefined = this.#closed ? null : this.#idle.pop();
    if (worker === undefined && this.#all.length < this.#most) {
      worker = startThread();
      this.#all.push(worker);
    }
    if (worker === undefined) worker = await new Promise<Worker | null>((resolve) => this.#waiting.push(resolve));
    if (worker === null) throw new Error('The upload was given up.');
    return worker;
  }
}

/** Node cannot run TypeScript: a caller that runs from its sources (a test) uses the built program. */
function startThread(): Worker {
  const here = fileURLToPath(import.meta.url);
  const built = here.endsWith('.ts') ? here.replace(/^(.*)\/cli\//, '$1/dist/cli/') : here;
  return new Worker(built.replace(/[^/]+$/, 'thread.js'), { execArgv: [] });
}
