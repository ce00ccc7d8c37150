import { afterEach, describe, expect, it } from 'vitest';
import { FarmError } from '../../domain/errors.ts';
import type { HeartbeatAnswer, HeartbeatRequest } from '../../ports/gateway/protocol.ts';
import { type Heart, LeaseStopped, startHeart } from './heart.ts';

const GO_ON: HeartbeatAnswer = { continue: true, reason: null, receiptsPending: false };
let heart: Heart | undefined;
afterEach(() => heart?.rest());

/** A heart whose gateway answers with `answer`; collects what was sent. */
function beating(leaseMs: number, answer: () => HeartbeatAnswer) {
  const sent: HeartbeatRequest[] = [];
  const lease = { chunkId: 'chunk', leaseNumber: 3, leaseMs, heartbeatMs: 50 };
  const heartbeat = async (_chunk: string, request: HeartbeatRequest): Promise<HeartbeatAnswer> => {
    sent.push(request);
    return answer();
  };
  heart = startHeart(lease, { heartbeat }, () => undefined);
  return { heart, sent };
}

describe('the heart of a lease', () => {
  // Ten seconds are no whole multiple of three milliseconds: the answer's deadline once was no integer, and no beat went out.
  it.each([10_000, 9_000, 4_001])('beats with a lease of %i ms', async (leaseMs) => {
    const { heart, sent } = beating(leaseMs, () => GO_ON);
    heart.progress('unit', 0.5);
    heart.log('a line');
    await expect.poll(() => sent.length).toBeGreaterThan(1);
    expect(sent[0]).toEqual({ leaseNumber: 3, progress: [{ unitId: 'unit', fraction: 0.5 }], log: ['a line'] });
    expect(heart.signal.aborted).toBe(false);
  });

  it('stops when the farm says so, with its reason', async () => {
    const { heart } = beating(10_000, () => ({ ...GO_ON, continue: false, reason: 'cancelled' }));
    await expect.poll(() => heart.signal.aborted).toBe(true);
    expect(heart.signal.reason).toBeInstanceOf(LeaseStopped);
    expect(heart.signal.reason).toMatchObject({ reason: 'cancelled' });
  });

  it('says all that was logged, also more than one call takes', async () => {
    const { heart, sent } = beating(10_000, () => GO_ON);
    const lines = Array.from({ length: 120 }, (_, index) => `line ${index}`);
    for (const line of lines) heart.log(line);
    await heart.tell();
    expect(sent.flatMap(({ log }) => log)).toEqual(lines);
  });

  it('gives the lease up by its own clock when nobody answers', async () => {
    const { heart } = beating(300, () => {
      throw new FarmError('StackNotRunning', 'nobody there');
    });
    await expect.poll(() => heart.signal.aborted, { timeout: 5_000 }).toBe(true);
    expect(heart.signal.reason).toMatchObject({ reason: 'lease-lost' });
  });
});
