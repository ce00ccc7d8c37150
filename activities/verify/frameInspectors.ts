/** Threads that look at frames, so that the event loop of the process stays free for everything else. */
import type { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { FarmError, fromProblem } from '../../domain/errors.ts';
import { startThread } from '../../renderer/image/threadProgram.ts';
import type { InspectAnswer, InspectJob, WarmUp } from './inspectThread.ts';
import type { Verdict } from './judgeFrame.ts';

/** Looks at so many frames at a time; the others wait. Threads start when first needed. Close it. */
export class FrameInspectors {
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #threads: number;
  readonly #slots: <T>(work: () => Promise<T>) => Promise<T>;

  constructor(threads: number) {
    this.#threads = threads;
    this.#slots = pLimit(threads);
  }

  /**
   * The verdict on the frame that lies at a presigned address: its length and hash, then `judgeFrame`. The bytes cross
   * memory once and are never copied between threads.
   * @throws FarmError `StoreFailed` when the store does not give the bytes; `Internal` when a thread dies
   */
  judge(job: InspectJob): Promise<Verdict> {
    return this.#run(job);
  }

  /**
   * Starts all threads and has each judge a picture of its own making, so that the first frame does not wait for code.
   * @throws FarmError `Internal` when that goes wrong
   */
  async warmUp(): Promise<void> {
    const verdicts = await Promise.all(Array.from({ length: this.#threads }, () => this.#run('warm-up')));
    if (verdicts.some(({ accepted }) => !accepted)) {
      throw new FarmError('Internal', 'The threads that look at frames refuse a picture that is right.');
    }
  }

  #run(job: InspectJob | WarmUp): Promise<Verdict> {
    return this.#slots(async () => {
      const thread = this.#idle.pop() ?? this.#start();
      thread.ref();
      try {
        const answer = await ask(thread, job);
        if ('problem' in answer) throw fromProblem(answer.problem);
        return answer.verdict;
      } finally {
        // An idle thread does not keep the process alive.
        thread.unref();
        if (this.#all.has(thread)) this.#idle.push(thread);
      }
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread.terminate()));
  }

  #start(): Worker {
    const thread = startThread(import.meta.url, 'inspectThread');
    this.#all.add(thread);
    const gone = (): void => void this.#all.delete(thread);
    return thread.on('exit', gone).on('error', gone);
  }
}

function ask(thread: Worker, job: InspectJob | WarmUp): Promise<InspectAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown): void => {
      detach();
      reject(new FarmError('Internal', `a thread that looks at frames failed: ${String(reason)}`));
    };
    const take = (answer: InspectAnswer): void => {
      detach();
      resolve(answer);
    };
    const onExit = (): void => fail('it ended');
    const detach = (): void => void thread.off('message', take).off('error', fail).off('exit', onExit);
    thread.on('message', take).on('error', fail).on('exit', onExit);
    thread.postMessage(job);
  });
}
