/**
 * Where the delivered frames of a chunk are verified and committed: each as soon as it is reported, several at a time, and
 * none waiting for another. The keeper goes on meanwhile and is rung when a frame is done.
 */
import { FarmError } from '../../domain/errors.ts';
import { completeSettings } from '../../domain/settings.ts';
import type { ChunkState, ChunkUnit } from '../../ports/db/chunks.ts';
import { commitUnit, refuseUnit } from '../../ports/db/commit.ts';
import type { JobRow } from '../../ports/db/tables.ts';
import { type FarmServices, inRecord } from '../services.ts';
import type { FrameInspectors } from '../verify/frameInspectors.ts';
import { verifyFrame } from '../verify/verifyFrame.ts';

/** What of a job keeping a chunk asks for. */
export type KeptJob = Pick<JobRow, 'status' | 'pauseReason' | 'settings'>;

/** What came of the desk since it was last asked. */
export interface DeskResult {
  /** Nodes that had a unit committed. */
  paidNodes: string[];
  /** Time from looking at a frame to its commit, summed over frames. */
  verifySeconds: number;
}

export class VerifyDesk {
  readonly #services: FarmServices & { inspectors: FrameInspectors };
  readonly #onDone: (done: { isQuiet: boolean }) => void;
  /**
   * By unit and lease: a frame that is delivered again under a new lease is another one. Those that are done stay, since
   * a keeper may have looked at the record just before.
   */
  readonly #taken = new Map<string, Promise<void>>();
  #result: DeskResult = { paidNodes: [], verifySeconds: 0 };
  #failure: { error: unknown } | null = null;

  /** @param onDone called after each frame; `isQuiet`: it was committed, and the chunk has others: nothing is to be done */
  constructor(services: FarmServices & { inspectors: FrameInspectors }, onDone: (done: { isQuiet: boolean }) => void) {
    this.#services = services;
    this.#onDone = onDone;
  }

  /**
   * Takes on the delivered units that it has not got yet, and answers what came of earlier ones since the last call.
   * @throws what verifying an earlier one failed with: a `FarmError` of database or store
   */
  take(state: ChunkState, job: KeptJob): DeskResult {
    if (this.#failure) throw this.#failure.error;
    for (const unit of state.units) {
      const key = `${unit.unitId}/${unit.leaseNumber}`;
      if ((unit.status !== 'uploaded' && unit.status !== 'verified') || this.#taken.has(key)) continue;
      const done = this.#verify(state, job, unit)
        .catch((error: unknown) => {
          this.#failure ??= { error };
          return { isQuiet: false };
        })
        .then(this.#onDone);
      this.#taken.set(key, done);
    }
    return this.takeResult();
  }

  /** What came of frames since the last call of this or `take`. */
  takeResult(): DeskResult {
    const result = this.#result;
    this.#result = { paidNodes: [], verifySeconds: 0 };
    return result;
  }

  /** Waits until nothing is being verified any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#taken.values());
  }

  /** Verifies a delivered unit and commits or refuses it. */
  async #verify({ studioId, jobId }: ChunkState, job: KeptJob, unit: ChunkUnit): Promise<{ isQuiet: boolean }> {
    const began = performance.now();
    const services = this.#services;
    const { stores, inspectors, log } = services;
    const { unitId, frame, siteId, artifacts, nodeId } = unit;
    const leaseNumber = unit.leaseNumber!;
    const delivered = { studioId, jobId, unitId, frame, siteId, artifacts: artifacts ?? [] };
    const verdict = await verifyFrame({ stores, inspectors, log }, delivered, completeSettings(job.settings));
    try {
      if (verdict.accepted) {
        const { chunkCompleted } = await inRecord(services, (tx) =>
          commitUnit(tx, { unitId, leaseNumber, warnings: verdict.warnings }),
        );
        this.#result.paidNodes.push(nodeId!);
        return { isQuiet: !chunkCompleted };
      } else {
        const { reason, message } = verdict;
        await inRecord(services, (tx) =>
          refuseUnit(tx, { unitId, leaseNumber, code: 'FrameRefused', reason, message }),
        );
      }
    } catch (error) {
      // Another keeper was faster, or the job was stopped meanwhile: the next look sees it.
      const expected = ['LeaseLost', 'UnitAlreadyCommitted', 'JobStateConflict'];
      if (!(error instanceof FarmError) || !expected.includes(error.code)) throw error;
      log.info({ unitId, leaseNumber, code: error.code }, 'result not committed');
    } finally {
      this.#result.verifySeconds += (performance.now() - began) / 1000;
    }
    return { isQuiet: false };
  }
}
