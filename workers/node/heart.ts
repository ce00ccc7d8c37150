/**
 * The heartbeat of one lease: tells progress and log lines, hears when to stop, and gives the lease up by the node's own
 * clock when the gateway was not reached for as long as the lease lives.
 */
import { FarmError } from '../../domain/errors.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { HeartbeatAnswer, Lease } from '../../ports/gateway/protocol.ts';

/** Why work on a lease ended before its time. `shutdown`: this process was asked to end. */
export type StopReason = NonNullable<HeartbeatAnswer['reason']> | 'shutdown';

/** The reason of a heart's signal: nobody's fault, the lease just is no more. */
export class LeaseStopped extends Error {
  override readonly name = 'LeaseStopped';
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`the lease ended: ${reason}`);
    this.reason = reason;
  }
}

export interface Heart {
  /** Aborts with a `LeaseStopped`. */
  readonly signal: AbortSignal;
  progress(unitId: string, fraction: number): void;
  log(line: string): void;
  /** Ends the work on the lease from this side. */
  stop(reason: StopReason): void;
  /** Says what was logged since the last beat: nobody takes a word of a lease once its end is told. */
  tell(): Promise<void>;
  /** Ends the heartbeat; the signal stays as it is. Waits for a call on its way. */
  rest(): Promise<void>;
}

/** The protocol's bounds of one heartbeat. */
const LINES_A_BEAT = 50;
const LINE_LENGTH = 2_000;
/** Lines kept while the gateway cannot be reached; older ones go first. */
const LINES_KEPT = 1_000;

export function startHeart(
  lease: Pick<Lease, 'chunkId' | 'leaseNumber' | 'leaseMs' | 'heartbeatMs'>,
  gateway: Pick<GatewayClient, 'heartbeat'>,
  onReceiptsPending: () => void,
): Heart {
  const controller = new AbortController();
  const stop = (reason: StopReason): void => {
    if (!controller.signal.aborted) controller.abort(new LeaseStopped(reason));
  };
  const progress = new Map<string, number>();
  let lines: string[] = [];
  let resting = false;
  let timer: NodeJS.Timeout | undefined;
  let beat: Promise<void> = Promise.resolve();
  // Whole milliseconds: Node takes no others.
  const answerMs = Math.max(1_000, Math.floor(lease.leaseMs / 3));
  // A renderer may hold the event loop for a moment, so the end is looked at by the clock, not by one timer's firing.
  let giveUp = setTimeout(stop, lease.leaseMs, 'lease-lost');

  const send = async (): Promise<void> => {
    const sentProgress = [...progress].map(([unitId, fraction]) => ({ unitId, fraction }));
    progress.clear();
    const sentLines = lines.slice(0, LINES_A_BEAT);
    lines = lines.slice(LINES_A_BEAT);
    try {
      const answer = await gateway.heartbeat(
        lease.chunkId,
        { leaseNumber: lease.leaseNumber, progress: sentProgress, log: sentLines },
        AbortSignal.timeout(answerMs),
      );
      clearTimeout(giveUp);
      if (!resting) giveUp = setTimeout(stop, lease.leaseMs, 'lease-lost');
      if (answer.receiptsPending) onReceiptsPending();
      if (!answer.continue) stop(answer.reason ?? 'lease-lost');
    } catch (error) {
      if (!(error instanceof FarmError) && !isTimeout(error)) throw error;
      if (error instanceof FarmError && ['LeaseLost', 'NodeNotRegistered', 'NotFound'].includes(error.code)) {
        stop('lease-lost');
      }
      lines = [...sentLines, ...lines].slice(-LINES_KEPT);
    }
  };
  const schedule = (): void => {
    if (resting || controller.signal.aborted) return;
    timer = setTimeout(() => {
      beat = send().finally(schedule);
    }, lease.heartbeatMs);
  };
  schedule();
  const tell = async (): Promise<void> => {
    await beat;
    // As long as they are taken: one call says a part of many.
    for (let left = Number.POSITIVE_INFINITY; lines.length > 0 && lines.length < left; ) {
      if (controller.signal.aborted) return;
      left = lines.length;
      await send();
    }
  };

  return {
    signal: controller.signal,
    progress: (unitId, fraction) => void progress.set(unitId, Math.min(1, Math.max(0, fraction))),
    log: (line) => {
      lines.push(line.slice(0, LINE_LENGTH));
      if (lines.length > LINES_KEPT) lines.shift();
    },
    stop,
    tell,
    async rest() {
      resting = true;
      clearTimeout(timer);
      clearTimeout(giveUp);
      // What was said last shall not be lost; nobody waits for its answer but us, and not long.
      await tell();
    },
  };
}

/** The answer did not come in time; what is neither this nor a `FarmError` is a defect and must not pass in silence. */
const isTimeout = (error: unknown): boolean => error instanceof DOMException && error.name === 'TimeoutError';
