import { describe, expect, it } from 'vitest';
import { type DeliverableJob, deliverableOf, deliveryAfter, deliveryAtEnd } from './delivery.ts';

const job = (changes: Partial<DeliverableJob> = {}): DeliverableJob => ({
  ...{ status: 'active', delivery: 'awaited', frameCount: 5, committedUnits: 2, cachedUnits: 1 },
  ...changes,
});

describe('the delivery of a job', () => {
  it('is of all frames while they are being made, then of those that were', () => {
    expect(deliverableOf(job())).toBe(5);
    expect(deliverableOf(job({ frameCount: null }))).toBe(3);
    expect(deliverableOf(job({ status: 'cancelled' }))).toBe(3);
  });

  it('is whole with the last acknowledgement of a job that commits no more', () => {
    expect(deliveryAfter(job(), 3)).toBe('awaited');
    expect(deliveryAfter(job({ frameCount: null }), 3)).toBe('awaited');
    expect(deliveryAfter(job({ committedUnits: 4 }), 4)).toBe('awaited');
    expect(deliveryAfter(job({ committedUnits: 4 }), 5)).toBe('delivered');
    expect(deliveryAfter(job({ status: 'cancelled', delivery: 'overdue' }), 3)).toBe('delivered');
  });

  it('ends whole, overdue, or awaited no longer', () => {
    expect(deliveryAtEnd(job(), 3)).toBe('delivered');
    expect(deliveryAtEnd(job(), 2)).toBe('overdue');
    expect(deliveryAtEnd(job({ delivery: 'on-demand' }), 2)).toBe('on-demand');
    expect(deliveryAtEnd(job({ delivery: 'delivered' }), 2)).toBe('delivered');
    const empty = { committedUnits: 0, cachedUnits: 0 };
    expect(deliveryAtEnd(job(empty), 0)).toBe('on-demand');
    expect(deliveryAtEnd(job({ ...empty, delivery: 'on-demand' }), 0)).toBe('on-demand');
  });
});
