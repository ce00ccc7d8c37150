/** Worker threads that share the tracer's memory. The caller's event loop stays free while they work. */
import { Worker } from 'node:worker_threads';
import { FarmError } from '../../../domain/errors.ts';

/** What `assembly/index.ts` exports. */
export type TracerCall =
  | 'trace'
  | 'recordPath'
  | 'buildMeshTree'
  | 'chooseCollapse'
  | 'emitMeshTree'
  | 'buildSceneBvh'
  | 'buildAnisotropicTable'
  | 'buildEnergyTable'
  | 'buildGlassTable'
  | 'buildSheenTable'
  | 'probeLights'
  | 'probeLightPoints'
  | 'probeCameraRays'
  | 'probeNumbers'
  | 'probeRays'
  | 'probePacket';

/** Runs one exported function on a thread; addresses above 2 GiB are passed as they are. */
export type ThreadCall = (name: TracerCall, ...args: number[]) => Promise<number>;

/** Plain source, evaluated: the same in a bundle and from TypeScript sources. */
const THREAD_SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const abort = () => { throw new Error('the tracer aborted'); };
const instance = new WebAssembly.Instance(workerData.module, { env: { memory: workerData.memory, abort } });
parentPort.on('message', ({ name, args }) => {
  try {
    parentPort.postMessage({ result: instance.exports[name](...args) });
  } catch (error) {
    parentPort.postMessage({ error: String(error && error.stack || error) });
  }
});
`;

interface Thread {
  index: number;
  worker: Worker;
  settle: ((message: { result?: number; error?: string }) => void) | null;
  hasEnded: boolean;
}

/** A fixed number of threads; each does one call at a time. */
export class ThreadPool {
  readonly #threads: Thread[] = [];
  readonly #idle: Thread[] = [];
  readonly #waiting: ((thread: Thread) => void)[] = [];
  #closed = false;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, count: number) {
    for (let index = 0; index < count; index++) {
      const worker = new Worker(THREAD_SOURCE, { eval: true, workerData: { module, memory }, execArgv: [] });
      const thread: Thread = { index, worker, settle: null, hasEnded: false };
      worker.on('message', (message: { result?: number; error?: string }) => thread.settle?.(message));
      worker.on('error', (error) => thread.settle?.({ error: String(error) }));
      worker.on('exit', () => {
        thread.hasEnded = true;
        thread.settle?.({ error: 'the thread ended' });
      });
      // An idle tracer keeps no process alive.
      worker.unref();
      this.#threads.push(thread);
      this.#idle.push(thread);
    }
  }

  get size(): number {
    return this.#threads.length;
  }

  /** Waits for a thread and lends it for as long as `use` lasts: calls of one use see each other's module state. */
  async lend<T>(use: (call: ThreadCall, index: number) => Promise<T>): Promise<T> {
    if (this.#closed) throw new FarmError('Internal', 'The tracer was used after it was closed.');
    const thread = this.#idle.pop() ?? (await new Promise<Thread>((resolve) => this.#waiting.push(resolve)));
    try {
      return await use((name, ...args) => this.#call(thread, name, args), thread.index);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(thread);
      else this.#idle.push(thread);
    }
  }

  /** Ends the threads, also in the middle of a call. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map((thread) => thread.worker.terminate()));
  }

  #call(thread: Thread, name: TracerCall, args: number[]): Promise<number> {
    if (thread.hasEnded) return Promise.reject(new FarmError('RenderFailed', 'A tracer thread has ended.'));
    return new Promise((resolve, reject) => {
      thread.worker.ref();
      thread.settle = ({ result, error }) => {
        thread.settle = null;
        thread.worker.unref();
        if (error === undefined) resolve(result ?? 0);
        else reject(new FarmError('RenderFailed', `A tracer thread failed in ${name}: ${error}`));
      };
      thread.worker.postMessage({ name, args });
    });
  }
}
