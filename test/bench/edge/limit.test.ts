import { expect, it } from 'vitest';
import { type LimitInput, limitOf, renderSecondsOf, secondsAt } from './limit.ts';

/** The shot of the article's reading at full size: 100 frames of 8192×4608 half RGBA, 1 GB of which a frame reads 4 % + 0.96 %. */
const SHOT: LimitInput = {
  frames: 100,
  frameBytes: 8192 * 4608 * 8,
  sharedBytes: 40e6,
  ownBytes: 9.6e6,
  renderSeconds: 0,
  sites: 1,
  nodesPerSite: 10,
  linkMbits: 330,
  studioLinkMbits: null,
};
const EDGE: LimitInput = { ...SHOT, sites: 10, nodesPerSite: 1 };

it('gives the seconds of the published reading', () => {
  const centre = limitOf(SHOT).seconds;
  const edge = limitOf(EDGE).seconds;
  expect(Math.abs(centre - 733.2)).toBeLessThan(0.1);
  expect(edge).toBeCloseTo(74.4, 1);
  expect(centre / edge).toBeCloseTo(9.85, 2);
});

it("comes to the article's own seconds when every frame reads all of the project", () => {
  const all = { sharedBytes: 1e9, ownBytes: 0 };
  expect(limitOf({ ...SHOT, ...all }).seconds).toBeCloseTo(756.3, 1);
  expect(limitOf({ ...EDGE, ...all }).seconds).toBeCloseTo(97.5, 1);
});

it('is the same at a tenth of the size over a tenth of the link', () => {
  const scaled = { frameBytes: SHOT.frameBytes / 10, sharedBytes: 4e6, ownBytes: 0.96e6, linkMbits: 33 };
  expect(limitOf({ ...EDGE, ...scaled }).seconds).toBeCloseTo(limitOf(EDGE).seconds, 9);
});

it('adds the first render, and lets the nodes decide where rendering is slower than the links', () => {
  expect(limitOf({ ...EDGE, renderSeconds: 5 })).toMatchObject({ bound: 'link', renderSeconds: 5 });
  const slow = limitOf({ ...EDGE, renderSeconds: 60 });
  expect(slow.bound).toBe('nodes');
  expect(slow.seconds).toBeCloseTo(secondsAt(49.6e6, 330) + 600 + secondsAt(SHOT.frameBytes, 330), 6);
  // Ten nodes at one place or one at each of ten: the same ten rounds.
  expect(limitOf({ ...SHOT, renderSeconds: 100 }).seconds).toBeCloseTo(
    limitOf({ ...EDGE, renderSeconds: 100 }).seconds,
    6,
  );
});

it('counts with what nodes measured where they traced for real', () => {
  expect(renderSecondsOf({ engine: 'replay', renderSeconds: 1 }, [7, 9])).toBe(1);
  expect(renderSecondsOf({ engine: 'pathtracer', renderSeconds: 1 }, [7, 9])).toBe(8);
});

it("erases the edge's gain behind a narrow link of the studio", () => {
  const edge = limitOf({ ...EDGE, studioLinkMbits: 330 });
  expect(edge.bound).toBe('studio');
  expect(edge.seconds).toBeCloseTo(limitOf(SHOT).seconds, 6);
});

it('counts the site with the most frames', () => {
  const [three, of34] = [limitOf({ ...EDGE, sites: 3 }), limitOf({ ...EDGE, frames: 34, sites: 1 })];
  expect(three.transferSeconds).toBeCloseTo(of34.transferSeconds, 9);
});
