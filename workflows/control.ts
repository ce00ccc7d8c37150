/** What signals have said to a rendering job so far. */
import { CancellationScope, condition, defineSignal, setHandler } from '@temporalio/workflow';
import { SIGNALS } from './contract.ts';

export const pauseJob = defineSignal(SIGNALS.pauseJob);
export const resumeJob = defineSignal(SIGNALS.resumeJob);
export const cancelJob = defineSignal(SIGNALS.cancelJob);
export const framesDelivered = defineSignal(SIGNALS.framesDelivered);
export const capRaised = defineSignal<[cap?: string]>(SIGNALS.capRaised);

/**
 * Signals are nudges: the job's row says what holds, and chunk activities read it. That a chunk came back `paused` is
 * therefore no news to wait for, only a resume *after its start* is: `resumes` counts them, so that one which overtakes the
 * activity's answer is not missed.
 */
export class JobControl {
  /** Somebody wants the job to end. Never taken back. */
  cancelled = false;
  /** The studio has every frame. */
  delivered = false;
  /** How often the job was told to go on. */
  resumes = 0;
  /** Caps that were asked for and not deposited yet, base units; null stands for what the row says. */
  readonly raises: (string | null)[] = [];
  readonly #listeners: (() => void)[] = [];

  /** Takes the workflow's signals from now on; Temporal's own cancel counts as `cancelJob`. */
  static listen(): JobControl {
    const control = new JobControl();
    // A pause is in the history for whoever reads it; chunks notice it by the job's row.
    setHandler(pauseJob, () => {});
    setHandler(resumeJob, () => control.resume());
    setHandler(cancelJob, () => control.cancel());
    setHandler(framesDelivered, () => {
      control.delivered = true;
    });
    setHandler(capRaised, (cap) => void control.raises.push(cap ?? null));
    CancellationScope.current().cancelRequested.catch(() => control.cancel());
    return control;
  }

  /** Chunks that wait are offered again. */
  resume(): void {
    this.resumes++;
    for (const listener of this.#listeners) listener();
  }

  cancel(): void {
    this.cancelled = true;
  }

  /** Calls `listener` with every resume, until the returned function is called. */
  onResume(listener: () => void): () => void {
    this.#listeners.push(listener);
    return () => void this.#listeners.splice(this.#listeners.indexOf(listener), 1);
  }

  /** Waits for a resume after the one numbered `since`, or for a cancel. */
  async resumedAfter(since: number): Promise<void> {
    await condition(() => this.resumes > since || this.cancelled);
  }
}
