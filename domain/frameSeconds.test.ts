import { expect, it } from 'vitest';
import { secondsOfFrame, spreadFrames } from './frameSeconds.ts';

const KNOWN = [
  { frame: 1, seconds: 2 },
  { frame: 11, seconds: 4 },
  { frame: 15, seconds: 3 },
];

it('gives frames between measured ones a time on the line, and those beyond the time of the end', () => {
  const seconds = [-3, 1, 6, 11, 12, 15, 99].map((frame) => secondsOfFrame(KNOWN, frame));
  expect(seconds).toEqual([2, 2, 3, 4, 3.75, 3, 3]);
  expect(secondsOfFrame(KNOWN.slice(0, 1), 40)).toBe(2);
});

it('spreads frames over a range with its ends, and takes all of a short one', () => {
  expect(spreadFrames([1, 2, 3, 4, 5, 6, 7, 8, 9], 5)).toEqual([1, 3, 5, 7, 9]);
  expect(spreadFrames([7, 8], 5)).toEqual([7, 8]);
  expect(spreadFrames([7], 5)).toEqual([7]);
  expect(spreadFrames([1, 2, 3], 1)).toEqual([1]);
  expect(new Set(spreadFrames([1, 2, 3, 4, 5, 6], 5)).size).toBe(5);
});
