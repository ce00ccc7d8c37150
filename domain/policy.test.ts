import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE, FarmError } from './errors.ts';
import { chunkGivenUp, DEFAULT_POLICY, isBadInput, judgeRefusals, resolvePolicy, tooManyFailures } from './policy.ts';

describe('resolvePolicy', () => {
  it('lets the job override the operator, and the operator the defaults', () => {
    const policy = resolvePolicy({ attemptsPerChunk: 5, quoteSeconds: 60 }, { attemptsPerChunk: 7 });
    expect(policy).toEqual({ ...DEFAULT_POLICY, attemptsPerChunk: 7, quoteSeconds: 60 });
  });

  it('takes nothing for no overrides', () => {
    expect(resolvePolicy(null, undefined, {})).toEqual(DEFAULT_POLICY);
  });

  it.each([
    ['an unknown name', { attemptsPerChunks: 3 }],
    ['zero', { attemptsPerChunk: 0 }],
    ['a fraction of a count', { attemptsPerChunk: 2.5 }],
    ['text', { quoteSeconds: '60' }],
    ['not a number', { quoteSeconds: Number.NaN }],
    ['another format', { formatVersion: 2 }],
    ['a name of Object.prototype', { toString: 1 }],
  ])('refuses %s', (_, override) => {
    expect(() => resolvePolicy(override as Record<string, unknown>)).toThrow(FarmError);
  });
});

describe('chunkGivenUp', () => {
  const policy = resolvePolicy({ attemptsPerChunk: 3, lostLeasesPerChunk: 4 });
  it.each([
    [{ failed: 0, lost: 0 }, null, null],
    [{ failed: 2, lost: 3 }, 'RenderFailed', null],
    [{ failed: 3, lost: 0 }, 'RenderFailed', 'failed'],
    [{ failed: 0, lost: 4 }, null, 'lost'],
    [{ failed: 1, lost: 0 }, 'SceneInvalid', 'bad-input'],
    [{ failed: 1, lost: 0 }, 'AssetMissing', 'bad-input'],
    [{ failed: 1, lost: 0 }, 'OutOfMemory', null],
    [{ failed: 1, lost: 0 }, 'SomethingElse', null],
    [{ failed: 1, lost: 0 }, 'Cancelled', null],
  ])('%j with %s is %s', (attempts, code, expected) => {
    expect(chunkGivenUp(attempts, code, policy)).toBe(expected);
  });
});

it('takes exactly the user faults that a retry cannot help for bad input', () => {
  for (const [code, { fault, retryable }] of Object.entries(ERROR_CATALOGUE)) {
    expect([code, isBadInput(code)]).toEqual([code, fault === 'user' && !retryable && code !== 'Cancelled']);
  }
});

describe('tooManyFailures', () => {
  it.each([
    [0, 1, false],
    [1, 1, true],
    [1, 9, true],
    [1, 10, false],
    [2, 10, true],
    [10, 100, false],
    [11, 100, true],
  ])('%i of %i is %s', (failed, total, expected) => {
    expect(tooManyFailures(failed, total, DEFAULT_POLICY)).toBe(expected);
  });
});

describe('judgeRefusals', () => {
  const nan = (nodeId: string) => ({ nodeId, reason: 'NaN' });
  it.each([
    ['no refusal', [], 'again'],
    ['NaN once', [nan('a')], 'again'],
    ['NaN twice from one node', [nan('a'), nan('a')], 'again'],
    ['NaN from two nodes', [nan('a'), nan('b')], 'scene-fault'],
    ['NaN and a wrong size', [nan('a'), { nodeId: 'b', reason: 'Size' }], 'again'],
    ['three refusals', [nan('a'), nan('a'), { nodeId: 'b', reason: 'Size' }], 'failed'],
  ] as const)('%s: %s', (_, refusals, expected) => {
    expect(judgeRefusals(refusals, DEFAULT_POLICY)).toBe(expected);
  });
});
