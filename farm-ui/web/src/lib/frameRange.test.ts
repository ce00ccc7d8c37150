import { describe, expect, it } from 'vitest';
import { framesOf } from './frameRange.ts';

describe('framesOf', () => {
  it.each([
    ['7', [7]],
    ['1-4', [1, 2, 3, 4]],
    ['1-9x4', [1, 5, 9]],
    ['10, 1-3', [1, 2, 3, 10]],
    ['-2-1', [-2, -1, 0, 1]],
    ['1-3,2-4', [1, 2, 3, 4]],
  ])('%s', (range, frames) => expect(framesOf(range)).toEqual(frames));

  it.each(['', 'a', '5-1', '1-4x0', '1-', '1-200000'])('refuses "%s"', (range) => expect(framesOf(range)).toBeNull());
});
