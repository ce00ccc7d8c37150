/**
 * All frames of a job in typed arrays, so that 100,000 of them can be changed and drawn within one animation frame.
 * Rows are in frame order; a row shows the newest take of its frame.
 */
import type { JobEvent } from '../api/events.ts';
import type { Frame, UnitStatus } from '../api/types.ts';

/** Codes of `status`, in the order of a unit's life. */
export const UNIT_STATUSES: readonly UnitStatus[] = [
  'planned',
  'offered',
  'leased',
  'uploaded',
  'verified',
  'committed',
  'failed',
  'cancelled',
];
const code = Object.fromEntries(UNIT_STATUSES.map((status, index) => [status, index])) as Record<UnitStatus, number>;
const PLANNED = code.planned;
const OFFERED = code.offered;
const COMMITTED = code.committed;
export const LEASED = code.leased;

/** What a person may want to know of one frame. */
export interface FrameRow {
  index: number;
  frame: number;
  status: UnitStatus;
  take: number;
  unitId: string | null;
  node: string | null;
  /** Base units; null while unknown. */
  price: string | null;
  renderSeconds: number | null;
  /** Share of the frame that is rendered, while it renders. */
  fraction: number | null;
  /** SHA-256 of the preview picture, once there is one. */
  preview: string | null;
  warnings: number;
  refusals: number;
}

export class FrameTable {
  frameNumbers: Int32Array = new Int32Array(0);
  status: Uint8Array = new Uint8Array(0);
  /** Seconds; 0 while unknown. */
  seconds: Float32Array = new Float32Array(0);
  fraction: Float32Array = new Float32Array(0);
  warned: Uint8Array = new Uint8Array(0);
  refused: Uint8Array = new Uint8Array(0);
  /** How many rows are in each status, by code. */
  readonly counts: Int32Array = new Int32Array(UNIT_STATUSES.length);
  /** Longest measured frame, seconds. */
  maxSeconds = 0;
  /** Row that was committed last, or null. */
  newest: number | null = null;
  private newestAt = '';
  private take: Uint16Array = new Uint16Array(0);
  private nodeIndex: Int16Array = new Int16Array(0);
  private readonly nodes: string[] = [];
  private unitIds: (string | null)[] = [];
  private prices: (string | null)[] = [];
  private previews: (string | null)[] = [];
  /** Frames that a node holds, by chunk. */
  private readonly leasedFrames = new Map<string, readonly number[]>();
  private rowOf = new Map<number, number>();

  get length(): number {
    return this.frameNumbers.length;
  }

  /** Lays out rows for these frames, in ascending order; what is known of frames that stay is kept. */
  setFrames(frames: readonly number[]): void {
    const old = this.rowOf.size > 0 ? this.rows() : [];
    const newestFrame = this.newest === null ? undefined : this.frameNumbers[this.newest];
    const count = frames.length;
    this.frameNumbers = Int32Array.from(frames);
    this.status = new Uint8Array(count);
    this.seconds = new Float32Array(count);
    this.fraction = new Float32Array(count);
    this.warned = new Uint8Array(count);
    this.refused = new Uint8Array(count);
    this.take = new Uint16Array(count);
    this.nodeIndex = new Int16Array(count).fill(-1);
    this.unitIds = new Array<string | null>(count).fill(null);
    this.prices = new Array<string | null>(count).fill(null);
    this.previews = new Array<string | null>(count).fill(null);
    this.counts.fill(0);
    this.counts[code.planned] = count;
    this.rowOf = new Map(frames.map((frame, index) => [frame, index]));
    for (const row of old) {
      const index = this.rowOf.get(row.frame);
      if (index !== undefined) this.write(index, row);
    }
    this.newest = newestFrame === undefined ? null : (this.rowOf.get(newestFrame) ?? null);
  }

  /** Row of a frame number, or undefined. */
  indexOf(frame: number): number | undefined {
    return this.rowOf.get(frame);
  }

  /** @throws RangeError outside the table */
  row(index: number): FrameRow {
    const frame = this.frameNumbers[index];
    if (frame === undefined) throw new RangeError(`No row ${index} among ${this.length}.`);
    const node = this.nodeIndex[index] as number;
    const seconds = this.seconds[index] as number;
    const status = UNIT_STATUSES[this.status[index] as number] as UnitStatus;
    return {
      index,
      frame,
      status,
      take: this.take[index] as number,
      unitId: this.unitIds[index] ?? null,
      node: node < 0 ? null : (this.nodes[node] ?? null),
      price: this.prices[index] ?? null,
      renderSeconds: seconds > 0 ? seconds : null,
      fraction: status === 'leased' ? (this.fraction[index] as number) : null,
      preview: this.previews[index] ?? null,
      warnings: this.warned[index] as number,
      refusals: this.refused[index] as number,
    };
  }

  /** Takes frames as the API lists them; frames without a row are added. */
  load(frames: readonly Frame[]): void {
    const unknown = frames.filter(({ frame }) => !this.rowOf.has(frame)).map(({ frame }) => frame);
    if (unknown.length > 0) {
      this.setFrames([...new Set([...this.frameNumbers, ...unknown])].sort((a, b) => a - b));
    }
    for (const frame of frames) {
      const index = this.rowOf.get(frame.frame) as number;
      if (frame.take < (this.take[index] as number)) continue;
      // The list was made before the event that committed this take was read.
      if (frame.take === this.take[index] && this.status[index] === COMMITTED && frame.status !== 'committed') continue;
      this.write(index, {
        take: frame.take,
        status: frame.status,
        unitId: frame.unitId,
        node: frame.node,
        price: frame.price,
        renderSeconds: frame.renderSeconds,
        preview: frame.preview?.hash ?? null,
        warnings: frame.warnings.length,
        refusals: frame.refusals.length,
      });
      if (frame.committedAt !== null) this.sawCommit(index, frame.committedAt);
    }
  }

  /** Takes events of units and chunks; others are left alone. @returns whether a row changed */
  apply(event: JobEvent): boolean {
    if (event.type === 'chunk.leased') {
      this.leasedFrames.set(event.data.chunkId, event.data.frames);
      return this.move(event.data.frames, [PLANNED, OFFERED], { status: 'leased', node: event.data.node, fraction: 0 });
    }
    if (event.type === 'chunk.lost' || event.type === 'chunk.ended') {
      const frames = this.leasedFrames.get(event.data.chunkId) ?? [];
      this.leasedFrames.delete(event.data.chunkId);
      return this.move(frames, [LEASED], { status: 'offered', node: null, fraction: 0 });
    }
    if (event.type === 'unit.changed') {
      const { frame, take, status, unitId, node, fraction } = event.data;
      const index = this.rowOf.get(frame);
      if (index === undefined || take < (this.take[index] as number)) return false;
      // A committed take stays committed; what still says otherwise was sent earlier.
      if (take === this.take[index] && this.status[index] === COMMITTED && status !== 'committed') return false;
      this.write(index, { take, status, unitId, node: node ?? undefined, fraction: fraction ?? 0 });
      return true;
    }
    if (event.type === 'unit.committed') {
      const { frame, take, unitId, node, price, renderSeconds, preview } = event.data;
      const index = this.rowOf.get(frame);
      if (index === undefined || take < (this.take[index] as number)) return false;
      this.write(index, {
        take,
        status: 'committed',
        unitId,
        node,
        price,
        renderSeconds,
        preview: preview ?? undefined,
      });
      this.sawCommit(index, event.at);
      return true;
    }
    if (event.type === 'unit.refused') {
      const index = this.rowOf.get(event.data.frame);
      if (index === undefined) return false;
      this.refused[index] = Math.min(255, (this.refused[index] as number) + 1);
      return true;
    }
    return false;
  }

  /** Changes those of the frames that are in one of the statuses. */
  private move(frames: readonly number[], from: readonly number[], change: Partial<FrameRow>): boolean {
    let moved = false;
    for (const frame of frames) {
      const index = this.rowOf.get(frame);
      if (index === undefined || !from.includes(this.status[index] as number)) continue;
      this.write(index, change);
      moved = true;
    }
    return moved;
  }

  private sawCommit(index: number, at: string): void {
    if (at < this.newestAt) return;
    this.newestAt = at;
    this.newest = index;
  }

  private rows(): FrameRow[] {
    return Array.from({ length: this.length }, (_, index) => this.row(index));
  }

  private write(index: number, change: Partial<Omit<FrameRow, 'index' | 'frame'>>): void {
    if (change.status !== undefined) {
      const before = this.status[index] as number;
      const after = code[change.status];
      this.counts[before] = (this.counts[before] as number) - 1;
      this.counts[after] = (this.counts[after] as number) + 1;
      this.status[index] = after;
    }
    if (change.take !== undefined) this.take[index] = change.take;
    if (change.unitId !== undefined) this.unitIds[index] = change.unitId;
    if (change.node !== undefined) this.nodeIndex[index] = change.node === null ? -1 : this.nodeNumber(change.node);
    if (change.price !== undefined) this.prices[index] = change.price;
    if (change.preview !== undefined) this.previews[index] = change.preview;
    if (change.fraction !== undefined) this.fraction[index] = change.fraction ?? 0;
    if (change.warnings !== undefined) this.warned[index] = Math.min(255, change.warnings);
    if (change.refusals !== undefined) this.refused[index] = Math.min(255, change.refusals);
    if (change.renderSeconds !== undefined) {
      this.seconds[index] = change.renderSeconds ?? 0;
      if ((change.renderSeconds ?? 0) > this.maxSeconds) this.maxSeconds = change.renderSeconds ?? 0;
    }
  }

  private nodeNumber(name: string): number {
    const known = this.nodes.indexOf(name);
    return known >= 0 ? known : this.nodes.push(name) - 1;
  }
}
