import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../api/events.ts';
import { logLine } from './jobLog.ts';

const event = (type: JobEvent['type'], data: unknown): JobEvent =>
  ({ seq: 1, jobId: 'job', at: '2026-11-03T12:00:00Z', type, data }) as JobEvent;

describe('logLine', () => {
  it.each([
    [[4], 'took frame 4'],
    [[4, 5, 6], 'took frames 4–6'],
    [[4, 8, 12], 'took 3 frames from 4'],
  ])('names the frames %j', (frames, text) => {
    const line = logLine(event('chunk.leased', { node: 'north', frames }), 1);
    expect(line).toMatchObject({ node: 'north', text });
  });

  it('warns of a lost lease, says why, and is silent on progress', () => {
    expect(logLine(event('chunk.lost', { node: 'north', reason: 'no heartbeat' }), 1)).toMatchObject({
      tone: 'warn',
      text: 'lost its chunk (no heartbeat); offered again',
    });
    expect(logLine(event('unit.changed', {}), 1)).toBeNull();
    expect(logLine(event('stage.progress', { stage: 'render', fraction: 0.5 }), 1)).toBeNull();
  });
});
