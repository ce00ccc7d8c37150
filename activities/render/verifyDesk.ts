/**
 * Where the delivered frames of a chunk are verified and committed: each as soon as it is reported, several at a time, and
 * none waiting for another. The keeper goes on meanwhile and is rung when a frame is done.
 */
import { FarmError } from '../../domain/errors.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import type { ChunkGlance, DeliveredUnit } from '../../ports/db/chunks.ts';
import { commitUnit, refuseUnit } from '../../ports/db/commit.ts';
import { type FarmServices, inRecord } from '../services.ts';
import type { FrameInspectors } from '../verify/frameInspectors.ts';
import { verifyFrame } from '../verify/verifyFrame.ts';

/** What came of the desk since it was last asked. */
export interface DeskResult {
  /** Nodes that had a unit committed. */
  paidNodes: string[];
  /** Time from looking at a frame to its commit, summed over frames. */
  verifySeconds: number;
  /** The last frame of the chunk was committed. */
  chunkCompleted: boolean;
}

const NOTHING: DeskResult = { paidNodes: [], verifySeconds: 0, chunkCompleted: false };

export class VerifyDesk {
  readonly #services: FarmServices & { inspectors: FrameInspectors };
  readonly #settings: RenderSettings;
  readonly #onDone: (done: { isQuiet: boolean }) => void;
  /**
   * By unit and lease: a frame that is delivered again under a new lease is another one. Those that are done stay, since
   * a keeper may have looked at the record just before.
   */
  readonly #taken = new Map<string, Promise<void>>();
  #result: DeskResult = { ...NOTHING, paidNodes: [] };
  #failure: { error: unknown } | null = null;

  /**
   * @param settings of the job: what was ordered
   * @param onDone called after each frame; `isQuiet`: it was committed, and the chunk has others: nothing is to be done
   */
  constructor(
    services: FarmServices & { inspectors: FrameInspectors },
    settings: RenderSettings,
    onDone: (done: { isQuiet: boolean }) => void,
  ) {
    this.#services = services;
    this.#settings = settings;
    this.#onDone = onDone;
  }

  /**
   * Takes on the delivered units that it has not got yet.
   * @throws what verifying an earlier one failed with: a `FarmError` of database or store
   */
  take(glance: ChunkGlance): void {
    if (this.#failure) throw this.#failure.error;
    for (const unit of glance.delivered) {
      const key = `${unit.unitId}/${unit.leaseNumber}`;
      if (this.#taken.has(key)) continue;
      const done = this.#verify(glance, unit)
        .catch((error: unknown) => {
          this.#failure ??= { error };
          return { isQuiet: false };
        })
        .then(this.#onDone);
      this.#taken.set(key, done);
    }
  }

  /** What came of frames since the last call. */
  takeResult(): DeskResult {
    const result = this.#result;
    this.#result = { ...NOTHING, paidNodes: [] };
    return result;
  }

  /** Waits until nothing is being verified any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#taken.values());
  }

  /** Verifies a delivered unit and commits or refuses it. */
  async #verify({ studioId, jobId }: ChunkGlance, unit: DeliveredUnit): Promise<{ isQuiet: boolean }> {
    const began = performance.now();
    const services = this.#services;
    const { stores, inspectors, log } = services;
    const { unitId, frame, siteId, artifacts, nodeId } = unit;
    const leaseNumber = unit.leaseNumber!;
    const delivered = { studioId, jobId, unitId, frame, siteId, artifacts: artifacts ?? [] };
    const verdict = await verifyFrame({ stores, inspectors, log }, delivered, this.#settings);
    try {
      if (verdict.accepted) {
        const { chunkCompleted } = await inRecord(services, (tx) =>
          commitUnit(tx, { unitId, leaseNumber, warnings: verdict.warnings }),
        );
        this.#result.paidNodes.push(nodeId!);
        this.#result.chunkCompleted ||= chunkCompleted;
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
