import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../api/events.ts';
import type { Frame } from '../api/types.ts';
import { FrameTable, UNIT_STATUSES } from './frameTable.ts';

const base = { jobId: 'job', at: '2026-11-03T12:00:00Z' };
const changed = (seq: number, frame: number, status: (typeof UNIT_STATUSES)[number], take = 1): JobEvent => ({
  ...base,
  seq,
  type: 'unit.changed',
  data: {
    unitId: `unit-${frame}-${take}`,
    frame,
    take,
    tile: 0,
    status,
    node: 'north',
    fraction: status === 'leased' ? 0.5 : null,
  },
});
const committed = (seq: number, frame: number, take = 1): JobEvent => ({
  ...base,
  seq,
  type: 'unit.committed',
  data: {
    unitId: `unit-${frame}-${take}`,
    frame,
    take,
    tile: 0,
    node: 'south',
    price: '5',
    spent: '5',
    committed: 1,
    renderSeconds: 2.5,
    preview: 'aa',
  },
});
const sum = (table: FrameTable): number => table.counts.reduce((total, count) => total + count, 0);

describe('FrameTable', () => {
  it('follows a unit from planned to committed and keeps the counts', () => {
    const table = new FrameTable();
    table.setFrames([1, 2, 3]);
    table.apply(changed(1, 2, 'leased'));
    expect(table.row(1)).toMatchObject({ frame: 2, status: 'leased', node: 'north', fraction: 0.5 });
    table.apply(committed(2, 2));
    expect(table.row(1)).toMatchObject({
      status: 'committed',
      node: 'south',
      renderSeconds: 2.5,
      preview: 'aa',
      price: '5',
    });
    expect(table.counts[UNIT_STATUSES.indexOf('committed')]).toBe(1);
    expect(sum(table)).toBe(3);
    expect(table.maxSeconds).toBe(2.5);
  });

  it('ignores what an older event says of a committed take, and takes a new take', () => {
    const table = new FrameTable();
    table.setFrames([1]);
    table.apply(committed(5, 1));
    expect(table.apply(changed(3, 1, 'leased'))).toBe(false);
    expect(table.row(0).status).toBe('committed');
    expect(table.apply(changed(8, 1, 'leased', 2))).toBe(true);
    expect(table.row(0)).toMatchObject({ status: 'leased', take: 2 });
    expect(table.apply(committed(9, 1, 1))).toBe(false);
  });

  it('ignores frames that it does not hold', () => {
    const table = new FrameTable();
    table.setFrames([1]);
    expect(table.apply(changed(1, 99, 'leased'))).toBe(false);
  });

  it('adds frames that the list brings and keeps what it knew', () => {
    const table = new FrameTable();
    table.setFrames([10]);
    table.apply(committed(1, 10));
    const listed: Frame = {
      unitId: 'u4',
      frame: 4,
      take: 1,
      tile: 0,
      layer: 'main',
      status: 'failed',
      node: null,
      price: '7',
      cached: false,
      renderSeconds: null,
      name: 'a.exr',
      exr: null,
      preview: null,
      picture: null,
      warnings: [{ code: 'Black', message: 'black' }],
      refusals: [],
      committedAt: null,
      deliveredAt: null,
    };
    table.load([listed]);
    expect([...table.frameNumbers]).toEqual([4, 10]);
    expect(table.row(0)).toMatchObject({ status: 'failed', warnings: 1 });
    expect(table.row(1)).toMatchObject({ status: 'committed', preview: 'aa' });
    expect(sum(table)).toBe(2);
    table.load([{ ...listed, frame: 10, status: 'verified' }]);
    expect(table.row(1).status).toBe('committed');
  });

  it('marks the frames of a leased chunk, and gives back those that it loses', () => {
    const table = new FrameTable();
    table.setFrames([1, 2, 3]);
    const chunk = { chunkId: 'c', index: 0, node: 'north', leaseNumber: 1 };
    table.apply({ ...base, seq: 1, type: 'chunk.leased', data: { ...chunk, nodeId: 'n', frames: [1, 2] } });
    table.apply(committed(2, 1));
    expect([0, 1, 2].map((index) => table.row(index).status)).toEqual(['committed', 'leased', 'planned']);
    expect(table.apply({ ...base, seq: 3, type: 'chunk.lost', data: { ...chunk, reason: 'silence' } })).toBe(true);
    expect([0, 1, 2].map((index) => table.row(index).status)).toEqual(['committed', 'offered', 'planned']);
    expect(table.row(1).node).toBeNull();
    expect(sum(table)).toBe(3);
  });

  it('remembers which frame came last, also when more frames are listed', () => {
    const table = new FrameTable();
    table.setFrames([1, 2, 3, 4]);
    expect(table.newest).toBeNull();
    table.apply(committed(1, 2));
    expect(table.newest).toBe(1);
    table.setFrames([0, 1, 2, 3, 4]);
    expect(table.newest).toBe(2);
  });

  it('takes 100,000 frames and as many events with the counts in balance', () => {
    const table = new FrameTable();
    table.setFrames(Array.from({ length: 100_000 }, (_, index) => index + 1));
    for (let frame = 1; frame <= 100_000; frame++) table.apply(committed(frame, frame));
    expect(table.counts[UNIT_STATUSES.indexOf('committed')]).toBe(100_000);
    expect(sum(table)).toBe(100_000);
  });
});
