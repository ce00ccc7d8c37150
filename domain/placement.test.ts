import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barredBy, type PlacementInput, type PlacementSite, placeJob } from './placement.ts';
import { finishSeconds } from './siteTime.ts';

const site = (name: string, change: Partial<PlacementSite> = {}): PlacementSite => ({
  ...{ id: `id-${name}`, name, status: 'online', country: null, priceFactor: 1 },
  ...{ slots: 1, score: 1, linkDownBytes: 4e6, linkUpBytes: 4e6, queueSeconds: 0 },
  ...change,
});

/** A shot as in the benchmark: some bytes for every frame, some for one frame only. */
function shot(frames: number, sharedBytes: number, ownBytes: number) {
  const blobBytes = new Map([['shared', sharedBytes]]);
  const list = Array.from({ length: frames }, (_, at) => {
    blobBytes.set(`own-${at + 1}`, ownBytes);
    return { frame: at + 1, blobs: ['shared', `own-${at + 1}`] };
  });
  return { frames: list, blobBytes };
}

const tenth = (change: Partial<PlacementInput> = {}): PlacementInput => ({
  sites: Array.from({ length: 10 }, (_, at) => site(`site-${at + 1}`)),
  ...shot(100, 4e6, 1e6),
  renderSeconds: 1,
  backBytes: 30e6,
  ...change,
});

const framesAt = (placement: ReturnType<typeof placeJob>, name: string): number =>
  placement.shares.find((share) => share.name === name)?.frames ?? 0;

const anySite = fc.record({
  status: fc.constantFrom(
    'online' as const,
    'online' as const,
    'online' as const,
    'draining' as const,
    'lost' as const,
  ),
  country: fc.constantFrom('DE', 'FR', null),
  priceFactor: fc.constantFrom(0.8, 1, 1.5),
  slots: fc.integer({ min: 0, max: 12 }),
  score: fc.double({ min: 0.1, max: 10, noNaN: true }),
  linkDownBytes: fc.option(fc.integer({ min: 1e5, max: 1e9 })),
  linkUpBytes: fc.option(fc.integer({ min: 1e5, max: 1e9 })),
  queueSeconds: fc.double({ min: 0, max: 100, noNaN: true }),
  isHome: fc.boolean(),
});

const anyInput = fc
  .record({
    sites: fc.array(anySite, { minLength: 1, maxLength: 12 }),
    count: fc.integer({ min: 1, max: 80 }),
    shared: fc.integer({ min: 0, max: 1e8 }),
    own: fc.integer({ min: 0, max: 1e8 }),
    renderSeconds: fc.double({ min: 0, max: 400, noNaN: true }),
    backBytes: fc.integer({ min: 0, max: 3e8 }),
    held: fc.array(fc.tuple(fc.nat({ max: 11 }), fc.integer({ min: 1, max: 80 })), { maxLength: 40 }),
    wish: fc.record({
      objective: fc.constantFrom('finish' as const, 'cost' as const),
      sites: fc.option(fc.constantFrom(['s0'], ['s1', 's2']), { nil: undefined }),
      country: fc.option(fc.constantFrom('DE', 'FR'), { nil: undefined }),
    }),
  })
  .map(({ sites, count, shared, own, held, ...rest }): PlacementInput => {
    const copies = new Map<string, string[]>();
    for (const [at, frame] of held) {
      const there = copies.get(`own-${frame}`) ?? [];
      if (!there.includes(`id-s${at}`)) copies.set(`own-${frame}`, [...there, `id-s${at}`]);
    }
    return { ...rest, ...shot(count, shared, own), copies, sites: sites.map((change, at) => site(`s${at}`, change)) };
  });

describe('placing a job', () => {
  it('places every frame once, only where it may go, and says of every other site why not', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { chunks, shares, leftOut, finishSeconds: end } = placeJob(input);
        const byId = new Map(input.sites.map((one) => [one.id, one]));
        for (const { siteId } of chunks) {
          const taken = byId.get(siteId)!;
          expect(barredBy(taken, input.wish!)).toBeNull();
          expect(taken.slots).toBeGreaterThan(0);
        }
        const frames = chunks.flatMap((chunk) => chunk.frames).sort((a, b) => a - b);
        expect(frames).toEqual(end === null ? [] : input.frames.map(({ frame }) => frame));
        const named = [...shares, ...leftOut].map(({ siteId }) => siteId).sort();
        expect(named).toEqual([...byId.keys()].sort());
      }),
      { numRuns: 200 },
    );
  });

  it('never promises what links and nodes cannot do', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { chunks, shares, finishSeconds: end } = placeJob(input);
        if (end === null) return;
        for (const { siteId, frames, stageBytes, backBytes, finishSeconds: done } of shares) {
          const { slots, score, linkDownBytes, linkUpBytes, queueSeconds } = input.sites.find(
            ({ id }) => id === siteId,
          )!;
          const render = input.renderSeconds / score;
          const least = Math.max(
            queueSeconds + Math.ceil(frames / slots) * render,
            linkUpBytes === null ? 0 : queueSeconds + render + backBytes / linkUpBytes,
            linkDownBytes === null ? 0 : stageBytes / linkDownBytes,
          );
          expect(done).toBeGreaterThanOrEqual(least * (1 - 1e-9));
          expect(done).toBeLessThanOrEqual(end);
          const own = chunks.filter((chunk) => chunk.siteId === siteId);
          expect(own.reduce((sum, chunk) => sum + chunk.stageBytes, 0)).toBeCloseTo(stageBytes, 3);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('gives equal sites equal shares of neighbouring frames, so that each stages its part alone', () => {
    const placement = placeJob(tenth());
    expect(placement.shares.map(({ frames }) => frames)).toEqual(Array.from({ length: 10 }, () => 10));
    expect(placement.shares.map(({ stageBytes }) => stageBytes)).toEqual(Array.from({ length: 10 }, () => 14e6));
    expect(placement.shares.map(({ range }) => range).sort()).toContain('91-100');
    // Unavoidable: stage the first frame, render it, bring ten back.
    expect(placement.finishSeconds).toBeCloseTo(5 / 4 + 1 + (10 * 30) / 4, 6);
    expect(placement.shares.every(({ bottleneck }) => bottleneck === 'link-up')).toBe(true);
    expect(new Set(placement.chunks.slice(0, 10).map(({ siteId }) => siteId)).size).toBe(10);
  });

  it('gives all nodes of one site work at once, and its end is that of its link', () => {
    const centre = site('centre', { slots: 10 });
    const placement = placeJob(tenth({ sites: [centre] }));
    expect(placement.chunks.length).toBeGreaterThanOrEqual(20);
    const together = placement.chunks.slice(0, 10);
    expect(together.every(({ startSeconds }) => startSeconds < 4)).toBe(true);
    expect(placement.finishSeconds).toBeCloseTo(5 / 4 + 1 + (100 * 30) / 4, 6);
  });

  it('gives a slow link less, and a lame one nothing', () => {
    const sites = [site('fast'), site('slow', { linkUpBytes: 1e6 }), site('lame', { linkUpBytes: 1e3 })];
    const placement = placeJob(tenth({ sites }));
    expect(framesAt(placement, 'fast')).toBeGreaterThan(3 * framesAt(placement, 'slow'));
    expect(framesAt(placement, 'slow')).toBeGreaterThan(15);
    expect(placement.leftOut).toEqual([{ siteId: 'id-lame', name: 'lame', reason: expect.stringContaining('others') }]);
  });

  it('gives ranges to the sites that hold their data', () => {
    const sites = [site('a'), site('b'), site('c')];
    const input = tenth({ sites, ...shot(30, 0, 1e6) });
    const copies = new Map<string, string[]>();
    for (let frame = 1; frame <= 10; frame++) copies.set(`own-${frame}`, ['id-c']);
    for (let frame = 21; frame <= 30; frame++) copies.set(`own-${frame}`, ['id-a']);
    const { shares } = placeJob({ ...input, copies });
    expect(Object.fromEntries(shares.map(({ name, range, stageBytes }) => [name, [range, stageBytes]]))).toEqual({
      a: ['21-30', 0],
      b: ['11-20', 10e6],
      c: ['1-10', 0],
    });
  });

  it('takes the cheapest sites only when cost is the objective', () => {
    const sites = [
      site('dear', { priceFactor: 1.2 }),
      site('cheap', { priceFactor: 0.8 }),
      site('alike', { priceFactor: 0.8 }),
    ];
    const placement = placeJob(tenth({ sites, wish: { objective: 'cost' } }));
    expect([framesAt(placement, 'dear'), framesAt(placement, 'cheap'), framesAt(placement, 'alike')]).toEqual([
      0, 50, 50,
    ]);
  });

  it('says so when nobody can take it', () => {
    const placement = placeJob(
      tenth({ sites: [site('a', { slots: 0 })], wish: { objective: 'finish', country: 'DE' } }),
    );
    expect(placement).toMatchObject({ finishSeconds: null, chunks: [] });
    expect(placement.leftOut[0]!.reason).toContain('DE');
  });

  it('places 100,000 frames on 1,000 sites', () => {
    const sites = Array.from({ length: 1_000 }, (_, at) => site(`s${at}`));
    const placement = placeJob(tenth({ sites, ...shot(100_000, 4e6, 1e6) }));
    expect(placement.shares.every(({ frames }) => frames === 100)).toBe(true);
  });
});

describe('the finishing time', () => {
  it('rises with the frames', () => {
    fc.assert(
      fc.property(anySite, fc.integer({ min: 1, max: 200 }), (change, frames) => {
        const load = { renderSeconds: 3, backBytes: 1e6, sharedBytes: 1e6, ownBytes: 1e5, heldOwnBytes: 3e5 };
        const one = site('a', change);
        expect(finishSeconds(one, load, frames + 1)).toBeGreaterThanOrEqual(finishSeconds(one, load, frames));
      }),
    );
  });
});
