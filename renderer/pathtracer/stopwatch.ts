/**
 * Time as it would pass on a machine that does nothing else. Calibration and FarmBench run for a moment on machines that other
 * processes share; what the clock on the wall says there may be several times what a frame will take, and another time the next
 * moment. The processor time of this process hardly knows of the others.
 */
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Tracer } from './tracer.ts';

/** What some work took. */
export interface Spent {
  wallSeconds: number;
  /** Of all threads of this process together. */
  processorSeconds: number;
}

const ZERO: Spent = { wallSeconds: 0, processorSeconds: 0 };

export const addSpent = (a: Spent, b: Spent): Spent => ({
  wallSeconds: a.wallSeconds + b.wallSeconds,
  processorSeconds: a.processorSeconds + b.processorSeconds,
});

export class Stopwatch {
  readonly #isGpu: boolean;
  readonly #threads: number;
  #traced = ZERO;

  /** For work of this tracer. A GPU's work is no processor time: there the wall clock counts. */
  constructor({ tier, threads }: Pick<Tracer, 'tier' | 'threads'>) {
    this.#isGpu = tier === 'gpu';
    // More threads than the machine has take turns.
    this.#threads = Math.min(threads, os.availableParallelism());
  }

  async time<T>(work: () => Promise<T>): Promise<{ value: T; spent: Spent }> {
    const wall = performance.now();
    const processor = process.cpuUsage();
    const value = await work();
    const { user, system } = process.cpuUsage(processor);
    return {
      value,
      spent: { wallSeconds: (performance.now() - wall) / 1000, processorSeconds: (user + system) / 1e6 },
    };
  }

  /** Seconds of work that keeps all threads busy, such as tracing. */
  traceSeconds({ wallSeconds, processorSeconds }: Spent): number {
    return this.#isGpu ? wallSeconds : processorSeconds / this.#threads;
  }

  /** Tells how others slow this process down: by work that keeps all threads busy. */
  noteTraced(spent: Spent): void {
    this.#traced = addSpent(this.#traced, spent);
  }

  /**
   * Seconds of work of which only a part runs on all threads, such as writing files: what the wall clock says, less what others
   * took by what `noteTraced` saw; never less than on all threads, never more than on one.
   */
  mixedSeconds({ wallSeconds, processorSeconds }: Spent): number {
    if (this.#isGpu) return wallSeconds;
    const least = processorSeconds / this.#threads;
    const alone = this.traceSeconds(this.#traced);
    const slowdown = alone > 0 ? Math.max(1, this.#traced.wallSeconds / alone) : 1;
    return Math.min(Math.max(wallSeconds / slowdown, least), Math.max(processorSeconds, least));
  }
}
