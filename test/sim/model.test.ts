import { describe, expect, it } from 'vitest';
import { limitOf } from '../bench/edge/limit.ts';
import { simulate } from './model.ts';
import { IDEAL_FARM, type JobSpec, type Scenario, UNBOUNDED } from './scenario.ts';

const SHOT: JobSpec = {
  ...{ frames: 100, frameBytes: 8192 * 4608 * 8, sharedBytes: 40e6, ownBytes: 9.6e6 },
  ...{ renderSeconds: 0, renderSpread: 0 },
};

function scenario(sites: number, nodes: number, changes: Partial<Scenario> = {}): Scenario {
  return {
    job: SHOT,
    sites: Array.from({ length: sites }, (_, i) => ({
      ...{ name: `site-${i + 1}`, nodes, speed: 1, upMbits: 330, downMbits: 330 },
      price: { perNodeHour: 1, perGB: 0 },
    })),
    studio: UNBOUNDED,
    home: null,
    farm: IDEAL_FARM,
    seed: 1,
    ...changes,
  };
}

const limit = { ...SHOT, sites: 10, nodesPerSite: 1, linkMbits: 330, studioLinkMbits: null };

describe('a farm that takes no time for itself', () => {
  it('takes the seconds of the published reading', () => {
    const centre = simulate(scenario(1, 10)).seconds;
    const edge = simulate(scenario(10, 1)).seconds;
    expect(centre).toBeGreaterThanOrEqual(limitOf({ ...limit, sites: 1, nodesPerSite: 10 }).seconds - 1e-6);
    expect(centre).toBeLessThan(733.3 * 1.005);
    expect(edge).toBeGreaterThanOrEqual(limitOf(limit).seconds - 1e-6);
    expect(edge).toBeLessThan(74.4 * 1.005);
  });

  it("is held by the studio's own link where that is narrow", () => {
    const studio = { upMbits: 330, downMbits: 330 };
    const { seconds } = simulate(scenario(10, 1, { studio }));
    const bound = limitOf({ ...limit, studioLinkMbits: 330 });
    expect(bound.bound).toBe('studio');
    expect(seconds).toBeGreaterThan(bound.transferSeconds);
    expect(seconds).toBeLessThan(bound.seconds * 1.02);
  });

  it('is held by the nodes where rendering is slow', () => {
    const job = { ...SHOT, renderSeconds: 60 };
    const { seconds, renderedSeconds, cost } = simulate(scenario(10, 1, { job }));
    const nodes = limitOf({ ...limit, renderSeconds: 60 }).seconds;
    expect(seconds).toBeGreaterThanOrEqual(nodes - 1e-6);
    // What it takes beyond the limit is staging: a node asks for its next chunk once the last one is done.
    expect(seconds).toBeLessThan(nodes * 1.005);
    expect(renderedSeconds).toBeCloseTo(6000, 6);
    expect(cost.perFrame).toBeCloseTo(60 / 3600, 9);
  });

  it('brings every byte over a link once', () => {
    const { sites, studio } = simulate(scenario(10, 1));
    expect(sites.reduce((sum, { frames }) => sum + frames, 0)).toBe(100);
    for (const { frames, upBytes, downBytes } of sites) {
      expect(upBytes).toBeCloseTo(frames * SHOT.frameBytes, 3);
      expect(downBytes).toBeCloseTo(SHOT.sharedBytes + frames * SHOT.ownBytes, 3);
    }
    expect(studio.downBytes).toBeCloseTo(100 * SHOT.frameBytes, 0);
  });

  it('spreads shared data among the sites when the studio is narrow', () => {
    const job = { ...SHOT, frames: 50, frameBytes: 1e6, ownBytes: 0, sharedBytes: 1e9 };
    const studio = { upMbits: 330, downMbits: 330 };
    const alone = simulate(scenario(50, 1, { job, studio, farm: { ...IDEAL_FARM, peers: false } }));
    const together = simulate(scenario(50, 1, { job, studio }));
    expect(alone.seconds).toBeGreaterThan((50 * 8e9) / 330e6);
    expect(together.seconds).toBeLessThan(alone.seconds / 5);
  });
});

describe('a frame that is not committed yet', () => {
  const farm = { ...IDEAL_FARM, putSeconds: 2, verifySeconds: 1 };
  const one = { ...SHOT, frames: 1, sharedBytes: 0, ownBytes: 0 };
  const crossing = (one.frameBytes * 8) / 330e6;

  it('sends a quarter when that is put, another while it is judged, and the rest when it is committed', () => {
    const { seconds, sites } = simulate(scenario(1, 1, { job: one, farm }));
    expect(seconds).toBeCloseTo(2 / 4 + crossing, 6);
    expect(sites[0]!.upBytes).toBeCloseTo(one.frameBytes, 3);
    // A link so wide that half of it is there before the commit.
    const wide = scenario(1, 1, { job: one, farm });
    wide.sites[0]!.upMbits = 3300;
    expect(simulate(wide).seconds).toBeCloseTo(2 + 1 + crossing / 10 / 2, 6);
  });

  it('waits where others keep the link busy, where it is small, and where it crosses compressed', () => {
    const two = simulate(scenario(1, 2, { job: { ...one, frames: 2 }, farm }));
    expect(two.seconds).toBeCloseTo(2 / 4 + 2 * crossing, 6);
    const small = { ...one, frameBytes: 1e6 };
    expect(simulate(scenario(1, 1, { job: small, farm })).seconds).toBeCloseTo(2 + 1 + 8e6 / 330e6, 6);
    const packed = { ...one, wholeFrameBytes: 2 * one.frameBytes };
    expect(simulate(scenario(1, 1, { job: packed, farm })).seconds).toBeCloseTo(2 + 1 + crossing, 6);
  });
});

it('gives the same outcome for the same seed, and another for another', () => {
  const job = { ...SHOT, renderSeconds: 20, renderSpread: 0.5 };
  const [first, second, other] = [1, 1, 2].map((seed) => simulate(scenario(10, 1, { job, seed })));
  expect(first!.deliveredAt).toEqual(second!.deliveredAt);
  expect(other!.seconds).not.toBe(first!.seconds);
});

it('uploads to a home store elsewhere before anything is rendered', () => {
  const home = { upMbits: 330, downMbits: 330 };
  const studio = { upMbits: 100, downMbits: Number.POSITIVE_INFINITY };
  const { firstDelivered } = simulate(scenario(10, 1, { home, studio }));
  expect(firstDelivered).toBeGreaterThan(80);
});
