/**
 * One job as its page shows it, kept current by its event stream. React reads it through `useSyncExternalStore` with
 * three version numbers, so that a batch of events draws each part of the page at most once.
 */

import { problemOf } from '../api/client.ts';
import type { JobEvent } from '../api/events.ts';
import { addresses, farm } from '../api/farm.ts';
import type { Job, JobStatus, Problem } from '../api/types.ts';
import { framesOf } from '../lib/frameRange.ts';
import { FrameTable } from './frameTable.ts';
import { LOG_LIMIT, type LogLine, logLine } from './jobLog.ts';
import { needsFetch, patchJob } from './patchJob.ts';
import { type Connection, openStream } from './stream.ts';

/** Events before the job's newest that are read once more, for the log. */
const LOG_HISTORY = 200;
const FRAME_PAGE = 1000;
/** Least time between two fetches of the job that events ask for, ms. */
const FETCH_PAUSE = 1000;

export type StorePart = 'job' | 'frames' | 'log' | 'connection';

export class JobStore {
  readonly id: string;
  readonly frames = new FrameTable();
  job: Job | null = null;
  problem: Problem | null = null;
  log: LogLine[] = [];
  connection: Connection = 'connecting';
  /** How often outputs and the invoice were announced: keys for fetching them. */
  outputsSeen = 0;
  invoicesSeen = 0;
  /** Whether all frames have been listed once. */
  framesLoaded = false;
  private readonly versions: Record<StorePart, number> = { job: 0, frames: 0, log: 0, connection: 0 };
  private readonly listeners = new Set<() => void>();
  /** The job's status when its frames were last listed; null before the first time. */
  private framesStatus: JobStatus | null = null;
  private closeStream: (() => void) | null = null;
  private logKey = 0;
  private logSeq = 0;
  /** Newest event that the first answers knew: older ones are read for the log only. */
  private baseSeq = 0;
  private fetchTimer = 0;
  private lastFetch = 0;
  private closed = false;

  constructor(id: string) {
    this.id = id;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  version(part: StorePart): number {
    return this.versions[part];
  }

  /** Fetches the job, follows its events and lists its frames. */
  async open(): Promise<void> {
    await this.fetchJob();
    if (this.closed || !this.job) return;
    this.baseSeq = this.job.eventSeq;
    const after = Math.max(0, this.baseSeq - LOG_HISTORY);
    this.closeStream = openStream({
      address: () => addresses.jobEvents(this.id, Math.max(after, this.logSeq)),
      onEvents: (events) => this.take(events),
      onConnection: (connection) => {
        this.connection = connection;
        this.changed('connection');
      },
      onResumed: () => void this.fetchJob(),
    });
    await this.loadFrames();
  }

  close(): void {
    this.closed = true;
    window.clearTimeout(this.fetchTimer);
    this.closeStream?.();
  }

  /** Puts an answer of the API in place (after pause, accept, …) without waiting for the event. */
  setJob(job: Job): void {
    this.job = job;
    this.problem = null;
    this.layFrames(job);
    this.changed('job');
    // Accepting, pausing and ending move many frames at once, without an event for each.
    if (this.framesStatus !== null && this.framesStatus !== job.status) void this.loadFrames();
  }

  async fetchJob(): Promise<void> {
    this.lastFetch = Date.now();
    try {
      const job = await farm.job(this.id);
      if (this.closed) return;
      // An answer older than the events read meanwhile would turn the page back; the next one is asked for.
      if (this.job && job.eventSeq < this.job.eventSeq) this.fetchSoon();
      else this.setJob(job);
    } catch (error) {
      if (this.closed) return;
      this.problem = problemOf(error);
      this.changed('job');
    }
  }

  /** Lists all frames, page by page. */
  async loadFrames(): Promise<void> {
    let cursor: string | null = null;
    this.framesStatus = this.job?.status ?? null;
    try {
      do {
        const page: Awaited<ReturnType<typeof farm.frames>> = await farm.frames(this.id, cursor, FRAME_PAGE);
        if (this.closed) return;
        this.frames.load(page.items);
        this.changed('frames');
        cursor = page.nextCursor;
      } while (cursor !== null);
      this.framesLoaded = true;
      this.changed('frames');
    } catch (error) {
      if (this.closed) return;
      this.problem = problemOf(error);
      this.changed('job');
    }
  }

  private layFrames(job: Job): void {
    const numbers = framesOf(job.frameRange);
    if (!numbers || numbers.length === this.frames.length) return;
    this.frames.setFrames(numbers);
    this.changed('frames');
  }

  private take(events: readonly JobEvent[]): void {
    let job = this.job;
    let framesChanged = false;
    let fetch = false;
    const lines: LogLine[] = [];
    for (const event of events) {
      if (event.jobId !== this.id) continue;
      const isNew = event.seq === 0 || event.seq > this.baseSeq;
      if (job) job = patchJob(job, event);
      // Taking work reserves money, and losing it gives it back; those events do not say how much.
      if (isNew && (needsFetch(event) || event.type === 'chunk.leased' || event.type === 'chunk.lost')) fetch = true;
      if (isNew && event.type === 'output.ready') this.outputsSeen += 1;
      if (isNew && event.type.startsWith('invoice.')) this.invoicesSeen += 1;
      if (isNew && this.frames.apply(event)) framesChanged = true;
      if (event.seq === 0 || event.seq > this.logSeq) {
        const line = logLine(event, this.logKey++);
        if (line) lines.push(line);
        this.logSeq = Math.max(this.logSeq, event.seq);
      }
    }
    if (job !== this.job) {
      this.job = job;
      this.bump('job');
    }
    if (framesChanged) this.bump('frames');
    if (lines.length > 0) {
      this.log = [...this.log, ...lines].slice(-LOG_LIMIT);
      this.bump('log');
    }
    for (const listener of this.listeners) listener();
    if (fetch) this.fetchSoon();
  }

  private fetchSoon(): void {
    if (this.fetchTimer !== 0) return;
    const waitMs = Math.max(0, this.lastFetch + FETCH_PAUSE - Date.now());
    this.fetchTimer = window.setTimeout(() => {
      this.fetchTimer = 0;
      void this.fetchJob();
    }, waitMs);
  }

  private bump(part: StorePart): void {
    this.versions[part] += 1;
  }

  private changed(part: StorePart): void {
    this.bump(part);
    for (const listener of this.listeners) listener();
  }
}
