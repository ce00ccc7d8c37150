/** Threads that run translated ray-cast kernels over one shared memory, some rows at a time, so that none waits for the slowest. */
import { Worker } from 'node:worker_threads';
import { FarmError } from '../../../domain/errors.ts';

/** Kernels over one memory. */
export interface ThreadProgram {
  id: number;
  memory: WebAssembly.Memory;
  kernels: {
    module: WebAssembly.Module;
    /** Functions of `Math` that it imports. */
    math: string[];
  }[];
  /** Pixels of a line. */
  width: number;
}

/** One kernel's part in a run: for each of `planes` planes, `planeLines` lines apart, the run's lines. */
export interface ThreadStep {
  kernel: number;
  planes: number;
  planeLines: number;
}

/** Pixels that a thread takes at a time: few enough that what one kernel leaves is still in the cache for the next. */
const PIXELS_AT_ONCE = 4096;

/**
 * Plain source, evaluated: the same in a bundle and from TypeScript sources. `run_simd` takes four neighbours of one line at a time,
 * with the bits that `run` has; it is called where lines are a multiple of that, as gpu.js' own threads do.
 */
const THREAD_SOURCE = `
const { parentPort } = require('node:worker_threads');
const programs = new Map();
function load({ id, memory, kernels, width }) {
  const loaded = kernels.map(({ module, math }) => {
    const env = { memory };
    for (const name of math) env['math_' + name] = Math[name];
    const { run, run_simd } = new WebAssembly.Instance(module, { env }).exports;
    return run_simd && width % 4 === 0 ? run_simd : run;
  });
  programs.set(id, { kernels: loaded, width });
}
function work({ id, steps, lines, linesAtOnce, next }) {
  const { kernels, width } = programs.get(id);
  for (;;) {
    const from = Atomics.add(next, 0, linesAtOnce);
    if (from >= lines) return;
    const to = Math.min(lines, from + linesAtOnce);
    for (const { kernel, planes, planeLines } of steps) {
      for (let plane = 0; plane < planes; plane++) {
        kernels[kernel]((plane * planeLines + from) * width, (plane * planeLines + to) * width, 0);
      }
    }
  }
}
parentPort.on('message', (message) => {
  if (message.forget !== undefined) return void programs.delete(message.forget);
  try {
    if (message.program) load(message.program);
    work(message);
    parentPort.postMessage({});
  } catch (error) {
    parentPort.postMessage({ error: String((error && error.stack) || error) });
  }
});
`;

interface Thread {
  worker: Worker;
  /** Programs that it has. */
  known: Set<number>;
  settle: ((error: string | undefined) => void) | null;
  hasEnded: boolean;
}

export class KernelThreads {
  readonly #threads: Thread[] = [];
  readonly #next = new Int32Array(new SharedArrayBuffer(4));

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.#threads.push(start());
  }

  /** Runs the steps, one after the other, for lines 0 to `lines`. One run at a time. Throws `RenderFailed` when a thread fails. */
  async run(program: ThreadProgram, steps: readonly ThreadStep[], lines: number): Promise<void> {
    const linesAtOnce = Math.max(1, Math.floor(PIXELS_AT_ONCE / program.width));
    Atomics.store(this.#next, 0, 0);
    const needed = this.#threads.slice(0, Math.ceil(lines / linesAtOnce));
    const work = { id: program.id, steps, lines, linesAtOnce, next: this.#next };
    // All threads are done, or have failed, before the first failure is told.
    const outcomes = await Promise.all(needed.map((thread) => ask(thread, program, work)));
    const error = outcomes.find((outcome) => outcome !== undefined);
    if (error !== undefined) throw new FarmError('RenderFailed', `A thread of the ray caster failed: ${error}`);
  }

  /** Lets a program and its memory go. */
  forget({ id }: ThreadProgram): void {
    for (const { worker, known } of this.#threads) if (known.delete(id)) worker.postMessage({ forget: id });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

function start(): Thread {
  const worker = new Worker(THREAD_SOURCE, { eval: true, execArgv: [] });
  const thread: Thread = { worker, known: new Set(), settle: null, hasEnded: false };
  worker.on('message', ({ error }: { error?: string }) => thread.settle?.(error));
  worker.on('error', (error) => thread.settle?.(String(error)));
  worker.on('exit', () => {
    thread.hasEnded = true;
    thread.settle?.('it ended');
  });
  // An idle ray caster keeps no process alive.
  worker.unref();
  return thread;
}

/** What went wrong on the thread, if anything. */
function ask(thread: Thread, program: ThreadProgram, work: object): Promise<string | undefined> {
  if (thread.hasEnded) return Promise.resolve('it has ended');
  const isNew = !thread.known.has(program.id);
  thread.known.add(program.id);
  return new Promise((resolve) => {
    thread.worker.ref();
    thread.settle = (error) => {
      thread.settle = null;
      thread.worker.unref();
      resolve(error);
    };
    thread.worker.postMessage(isNew ? { ...work, program } : work);
  });
}
