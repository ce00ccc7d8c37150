/** The process that takes a studio's frames: one of its own, as at a studio, and small, so that what it collects is not all of the benchmark's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FarmError } from '../../../domain/errors.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';
import { distFolder } from '../../../infra/stack/paths.ts';
import type { PullNews, PullOrder } from './pullProgram.ts';

/** Told of each file when it is whole and right; `at`: milliseconds since 1970. */
export type OnArrival = (file: { name: string; sizeBytes: number; at: number }) => void;

export class StudioProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts it; resolves when it is ready to be told what to take. */
  static async start(lab: Lab): Promise<StudioProcess> {
    const program = join(distFolder, 'test', 'bench', 'edge', 'pullProgram.js');
    const { command, args } = lab.inside('studio', process.execPath, [program]);
    // A session of its own: its priority is not that of the others (`ownMachine.ts`).
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
    await once(child, 'message');
    return new StudioProcess(child);
  }

  /** Takes all of a job, as long as it has any; one job after the other. @throws FarmError `Internal` with what the pull failed with */
  async pull(order: PullOrder, onArrival: OnArrival): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new FarmError('Internal', `The studio got no frames: ${why}`, {}));
      for (const event of ['message', 'error', 'exit']) this.#child.removeAllListeners(event);
      this.#child.on('message', (news: PullNews) => {
        if ('file' in news) onArrival({ name: news.file, sizeBytes: news.sizeBytes, at: news.at });
        else if ('failure' in news) fail(news.failure);
        else if ('done' in news) resolve();
      });
      this.#child.once('error', (error) => fail(error.message));
      this.#child.once('exit', (code) => fail(`its process ended with ${code}.`));
      this.#child.send(order);
    });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}
