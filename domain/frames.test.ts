import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FarmError } from './errors.ts';
import { formatFrames, framesOfAnimation, frameTime, parseFrames } from './frames.ts';

const codeOf = (text: string): string => {
  try {
    parseFrames(text);
  } catch (error) {
    return (error as FarmError).code;
  }
  return 'none';
};

describe('parseFrames', () => {
  it.each([
    ['7', [7]],
    ['1-5', [1, 2, 3, 4, 5]],
    ['1-10x3', [1, 4, 7, 10]],
    ['1-3,2-4', [1, 2, 3, 4]],
    ['10,1-3', [1, 2, 3, 10]],
    ['-3--1', [-3, -2, -1]],
    [' 1 , 2 ', [1, 2]],
  ])('reads %s', (text, frames) => {
    expect(parseFrames(text)).toEqual(frames);
  });

  it.each(['', ' ', ',', '1,', 'a', '1-', '1..5', '1-10:2', '5-1', '1-10x0', '1-10x-1', '1.5', '99999999', '1 2'])(
    'refuses "%s"',
    (text) => {
      expect(codeOf(text)).toBe('FrameRangeInvalid');
    },
  );

  it('points at the column of the bad part', () => {
    expect(() => parseFrames('1-10,x,20')).toThrow('at column 6');
  });

  it('refuses a million frames before making a list of them', () => {
    expect(codeOf('1-1000000')).toBe('FrameRangeTooLarge');
    expect(codeOf('1-60000,60001-120000')).toBe('FrameRangeTooLarge');
    expect(parseFrames('1-100000')).toHaveLength(100_000);
  });

  it('reads back what formatFrames writes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -500, max: 2000 }), { minLength: 1, maxLength: 60 }), (list) => {
        const sorted = [...list].sort((a, b) => a - b);
        expect(parseFrames(formatFrames(sorted))).toEqual(sorted);
      }),
      { seed: 20261123 },
    );
  });
});

describe('formatFrames', () => {
  it.each([
    [[1, 2, 3, 4], '1-4'],
    [[1, 3, 5], '1-5x2'],
    [[1, 2], '1-2'],
    [[1, 5], '1,5'],
    [[1, 2, 3, 10, 20, 30, 40], '1-3,10-40x10'],
  ])('writes %j as %s', (frames, text) => {
    expect(formatFrames(frames)).toBe(text);
  });
});

describe('frame times', () => {
  it('puts the start frame at time zero', () => {
    expect(frameTime(1001, 24, 1001)).toBe(0);
    expect(frameTime(1025, 24, 1001)).toBe(1);
  });

  it('covers an animation with its last instant', () => {
    expect(framesOfAnimation(23 / 24, 24, 1)).toEqual({ first: 1, last: 24 });
    expect(framesOfAnimation(0, 24, 1)).toEqual({ first: 1, last: 1 });
    expect(framesOfAnimation(1.01, 24, 0)).toEqual({ first: 0, last: 25 });
  });
});
