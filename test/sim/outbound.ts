/**
 * Frames of one site on their way to the studio, a few at a time. Where the site's link would idle, first parts of frames go
 * that are not committed: a quarter as soon as it lies in the site's store, another while the frame is judged.
 */
import { headBytesOf, LARGE_FRAME_BYTES } from '../../domain/frameHead.ts';
import type { EventQueue } from './events.ts';
import type { LabMachine } from './labMachine.ts';
import { Line } from './line.ts';
import type { ModelSite } from './model.ts';
import type { Network, Place } from './network.ts';
import { receive } from './receive.ts';
import type { FarmSpec, JobSpec } from './scenario.ts';

/** One frame, from when its site may send of it. */
export interface SentFrame {
  /** Bytes that the studio has, and those that it may have. */
  sent: number;
  allowed: number;
  isCrossing: boolean;
  isCommitted: boolean;
}

export const newFrame = (): SentFrame => ({ sent: 0, allowed: 0, isCrossing: false, isCommitted: false });

/** Bytes that may go before a frame is put, and as many again before it is committed; 0: such frames have no head. */
export function headOf({ frameBytes, wholeFrameBytes }: JobSpec): number {
  // Where all is to cross compressed a part of the file is no part of what crosses.
  return wholeFrameBytes !== undefined || frameBytes < LARGE_FRAME_BYTES ? 0 : headBytesOf(frameBytes);
}

export interface OutboundDeps {
  network: Network;
  events: EventQueue;
  lab: LabMachine | null;
  job: JobSpec;
  farm: FarmSpec;
}

export class Outbound {
  readonly #from: ModelSite;
  readonly #to: Place;
  readonly #deps: OutboundDeps;
  readonly #arrived: () => void;
  readonly #headBytes: number;
  /** Committed, and waiting for a stream. */
  readonly #waiting = new Line<SentFrame>();
  #streams = 0;

  /** @param arrived called for each frame that is at the studio whole */
  constructor(from: ModelSite, to: Place, deps: OutboundDeps, arrived: () => void) {
    this.#from = from;
    this.#to = to;
    this.#deps = deps;
    this.#arrived = arrived;
    this.#headBytes = headOf(deps.job);
  }

  /** Its link has nothing of a frame to carry. */
  get isIdle(): boolean {
    return this.#streams === 0 && this.#waiting.isEmpty;
  }

  /** A head lies in the store, and the studio was told. */
  headIsPut(frame: SentFrame): void {
    if (this.isIdle) this.#allow(frame, this.#headBytes);
  }

  /** The whole lies in the store, and is judged now. */
  isJudged(frame: SentFrame): void {
    if (this.#headBytes > 0 && (frame.allowed > 0 || this.isIdle)) this.#allow(frame, 2 * this.#headBytes);
  }

  isCommitted(frame: SentFrame): void {
    frame.isCommitted = true;
    frame.allowed = this.#deps.job.frameBytes;
    // What is on its way goes on with the rest.
    if (frame.isCrossing) return;
    this.#waiting.push(frame);
    this.#next();
  }

  #allow(frame: SentFrame, bytes: number): void {
    frame.allowed = bytes;
    if (!frame.isCrossing) this.#cross(frame);
  }

  #next(): void {
    while (this.#streams < this.#deps.farm.streamsPerSite) {
      const frame = this.#waiting.take();
      if (!frame) return;
      this.#cross(frame);
    }
  }

  /** Sends what may go. */
  #cross(frame: SentFrame): void {
    const { network, events, lab, job, farm } = this.#deps;
    const bytes = frame.allowed - frame.sent;
    if (bytes <= 0) return;
    frame.isCrossing = true;
    this.#streams++;
    events.after(farm.requestSeconds, () =>
      receive(network, { from: this.#from, to: this.#to, job, lab, share: bytes / job.frameBytes }, () => {
        frame.isCrossing = false;
        frame.sent += bytes;
        this.#streams--;
        if (frame.sent < frame.allowed) this.#cross(frame);
        else if (frame.isCommitted) this.#arrived();
        this.#next();
      }),
    );
  }
}
