/** Encodes chunks: here when the picture is small, on threads when it is large. The bytes are the same. */
import os from 'node:os';
import type { Worker } from 'node:worker_threads';
import { FarmError } from '../../../domain/errors.ts';
import { startThread } from '../threadProgram.ts';
import { type ChunkChannel, encodeChunk } from './chunk.ts';
import type { ChunkAnswer, ChunkJob } from './encodeThread.ts';
import type { WritableCompression } from './format.ts';

/** Pictures with more samples than this are worth the threads' start, some 50 ms. */
const SAMPLES_FOR_THREADS = 4_000_000;
const MAX_THREADS = 8;

/** Threads that a picture of so many samples (pixels times channels) gets; 0: none. */
export const threadsFor = (samples: number): number =>
  samples < SAMPLES_FOR_THREADS ? 0 : Math.min(MAX_THREADS, os.availableParallelism());

/** Threads of closed pools: the next picture finds them started, and their code compiled. They keep no process alive. */
const resting = new Set<Worker>();

function takeThread(): Worker {
  for (const worker of resting) {
    resting.delete(worker);
    worker.ref();
    return worker;
  }
  const worker = startThread(import.meta.url, 'encodeThread');
  worker.on('error', () => resting.delete(worker)).once('exit', () => resting.delete(worker));
  return worker;
}

/** Encodes chunks, as many at a time as it has threads. Close it. */
export class EncoderPool {
  private readonly all: Worker[] = [];
  private readonly idle: Worker[] = [];
  private readonly failed = new Set<Worker>();
  private readonly waiting: (() => void)[] = [];

  constructor(threads: number) {
    for (let i = 0; i < threads; i++) this.all.push(takeThread());
    this.idle.push(...this.all);
  }

  /** How many chunks are worth having under way. */
  get width(): number {
    return Math.max(1, this.all.length * 2);
  }

  /** See `encodeChunk`. Throws `Internal` when a thread fails. */
  async encode(
    channels: readonly ChunkChannel[],
    width: number,
    first: number,
    lines: number,
    compression: WritableCompression,
  ): Promise<Uint8Array> {
    if (this.all.length === 0) return encodeChunk(channels, width, first, lines, compression);
    while (this.idle.length === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    const worker = this.idle.pop()!;
    try {
      return await this.ask(worker, copyLines(channels, width, first, lines, compression));
    } finally {
      this.idle.push(worker);
      this.waiting.shift()?.();
    }
  }

  private ask(worker: Worker, job: ChunkJob): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const fail = (reason: unknown) => {
        this.failed.add(worker);
        detach();
        reject(new FarmError('Internal', `a thread that compresses a picture failed: ${String(reason)}`));
      };
      const take = (answer: ChunkAnswer) => {
        if ('error' in answer) return fail(answer.error);
        detach();
        resolve(answer.body);
      };
      const onExit = () => fail('it ended');
      const detach = () => worker.off('message', take).off('error', fail).off('exit', onExit);
      worker.on('message', take).on('error', fail).on('exit', onExit);
      const copied = job.channels.filter(({ data }) => !isShared(data));
      worker.postMessage(job, [...new Set(copied.map(({ data }) => data.buffer as ArrayBuffer))]);
    });
  }

  /** Lets threads rest that have nothing left to do; the others are ended. */
  async close(): Promise<void> {
    const ended: Worker[] = [];
    for (const worker of this.all) {
      if (!this.idle.includes(worker) || this.failed.has(worker) || resting.size >= MAX_THREADS) ended.push(worker);
      else resting.add(worker);
    }
    this.all.length = 0;
    for (const worker of resting) worker.unref();
    await Promise.all(ended.map((worker) => worker.terminate()));
  }
}

/** A job with the chunk's lines: as they lie in shared memory, or else copied; channels that share an array share the copy. */
function copyLines(
  channels: readonly ChunkChannel[],
  width: number,
  first: number,
  lines: number,
  compression: WritableCompression,
): ChunkJob {
  const copies = new Map<Float32Array | Uint32Array, Float32Array | Uint32Array>();
  return {
    width,
    lines,
    compression,
    channels: channels.map(({ type, data, stride, offset }) => {
      let copy = copies.get(data);
      if (!copy) {
        const [from, to] = [first * width * stride, (first + lines) * width * stride];
        copy = isShared(data) ? data.subarray(from, to) : data.slice(from, to);
        copies.set(data, copy);
      }
      return { type, data: copy, stride, offset };
    }),
  };
}

const isShared = ({ buffer }: Float32Array | Uint32Array): boolean => buffer instanceof SharedArrayBuffer;
