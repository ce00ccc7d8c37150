import { describe, expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS } from '../../../../domain/scene.ts';
import type { JobEvent } from '../api/events.ts';
import { type Job, STAGES } from '../api/types.ts';
import { needsFetch, patchJob } from './patchJob.ts';

const job: Job = {
  id: 'job',
  name: 'shot',
  version: 1,
  status: 'active',
  stage: 'render',
  stages: STAGES.map((stage) => ({ stage, state: 'waiting', fraction: 0, seconds: null })),
  pauseReason: null,
  problem: null,
  placement: {
    wish: { objective: 'finish' },
    at: null,
    why: null,
    finishSeconds: null,
    shares: [],
    leftOut: [],
    actual: [],
  },
  delivery: { status: 'awaited', delivered: 0, of: 10, at: null },
  frames: { total: 10, committed: 2, rendering: 1, failed: 0, billed: 2, cached: 0 },
  frameRange: '1-10',
  width: 480,
  height: 270,
  samples: 16,
  fps: 24,
  settings: DEFAULT_RENDER_SETTINGS,
  template: '{shot}.{frame:04}.{ext}',
  priority: 3,
  cap: '100',
  reserved: '10',
  spent: '20',
  currency: 'EUR',
  spentCents: 20,
  quote: null,
  inspection: null,
  warnings: [],
  createdAt: '2026-11-03T12:00:00Z',
  acceptedAt: null,
  endedAt: null,
  estimatedEndAt: null,
  eventSeq: 40,
};
const event = (seq: number, rest: Pick<JobEvent, 'type'> & { data: unknown }, jobId = 'job'): JobEvent =>
  ({ seq, jobId, at: '2026-11-03T12:00:01Z', ...rest }) as JobEvent;

describe('patchJob', () => {
  it('leaves the job alone when the event is old or of another job', () => {
    const spent = { type: 'money.changed', data: { cap: '9', reserved: '9', spent: '9' } } as const;
    expect(patchJob(job, event(40, spent))).toBe(job);
    expect(patchJob(job, event(41, spent, 'other'))).toBe(job);
  });

  it('takes what has reached the studio', () => {
    const data = { status: 'delivered', delivered: 10, of: 10 };
    const after = patchJob(job, event(41, { type: 'delivery.changed', data }));
    expect(after.delivery).toEqual({ ...data, at: null });
  });

  it('takes money and counts, and remembers how far it read', () => {
    const after = patchJob(
      job,
      event(41, { type: 'unit.committed', data: { frame: 3, take: 1, committed: 3, spent: '30', price: '10' } }),
    );
    expect(after).toMatchObject({ spent: '30', frames: { committed: 3, billed: 3, total: 10 }, eventSeq: 41 });
    expect(job.spent).toBe('20');
    const rendering = { ...job, stages: job.stages.map((one) => ({ ...one, state: 'running' as const })) };
    const moved = patchJob(rendering, event(41, { type: 'unit.committed', data: { committed: 5, spent: '50' } }));
    expect(moved.stages.map(({ fraction }) => fraction)).toEqual([0, 0, 0.5, 0, 0, 0]);
  });

  it('moves a stage through its states', () => {
    let after = patchJob(job, event(41, { type: 'stage.started', data: { stage: 'verify' } }));
    after = patchJob(after, event(0, { type: 'stage.progress', data: { stage: 'verify', fraction: 0.5 } }));
    expect(after.stages[3]).toMatchObject({ state: 'running', fraction: 0.5 });
    expect(after.eventSeq).toBe(41);
    after = patchJob(after, event(42, { type: 'stage.ended', data: { stage: 'verify', seconds: 1.5 } }));
    expect(after.stages[3]).toEqual({ stage: 'verify', state: 'done', fraction: 1, seconds: 1.5 });
  });

  it('takes status and pause reason, and asks for the rest', () => {
    const change = event(41, {
      type: 'job.changed',
      data: { status: 'paused', stage: 'render', pauseReason: 'budget', problem: null },
    });
    expect(patchJob(job, change)).toMatchObject({ status: 'paused', pauseReason: 'budget' });
    expect(needsFetch(change)).toBe(true);
  });
});
