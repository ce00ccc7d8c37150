import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from './events.ts';
import { Link, Network, type Place } from './network.ts';

const place = (up: number, down = up): Place => ({ up: new Link('up', up), down: new Link('down', down) });

interface Sent {
  from: number;
  to: number;
  bytes: number;
  at: number;
}

/** When each transfer ends. */
function endsOf(places: Place[], sent: Sent[]): number[] {
  const events = new EventQueue();
  const network = new Network(events);
  const ends: number[] = [];
  for (const [index, { from, to, bytes, at }] of sent.entries()) {
    events.at(at, () => network.send(places[from]!, places[to]!, bytes, () => (ends[index] = events.now)));
  }
  events.run();
  return ends;
}

describe('fair sharing, by hand', () => {
  it('gives two streams on a link half each, and the rest to the one that stays', () => {
    const places = [place(10), place(100)];
    const ends = endsOf(places, [
      { from: 0, to: 1, bytes: 100, at: 0 },
      { from: 0, to: 1, bytes: 50, at: 0 },
    ]);
    expect(ends[1]).toBeCloseTo(10, 9);
    expect(ends[0]).toBeCloseTo(15, 9);
    expect(places[0]!.up.bytes).toBe(150);
  });

  it('keeps the two directions of a link apart', () => {
    const ends = endsOf(
      [place(10), place(10)],
      [
        { from: 0, to: 1, bytes: 100, at: 0 },
        { from: 1, to: 0, bytes: 100, at: 0 },
      ],
    );
    expect(ends).toEqual([10, 10]);
  });

  it("gives what a narrow site leaves of the studio's link to the wide one", () => {
    // Studio 10 down; sites of 2 and 100: max-min is 2 and 8.
    const ends = endsOf(
      [place(10), place(2), place(100)],
      [
        { from: 1, to: 0, bytes: 20, at: 0 },
        { from: 2, to: 0, bytes: 80, at: 0 },
      ],
    );
    expect(ends[0]).toBeCloseTo(10, 9);
    expect(ends[1]).toBeCloseTo(10, 9);
  });

  it('sends at once where no link is narrow', () => {
    const wide = Number.POSITIVE_INFINITY;
    expect(endsOf([place(wide), place(wide)], [{ from: 0, to: 1, bytes: 5, at: 3 }])).toEqual([3]);
  });
});

/** Progressive filling as in the textbook: all rates rise together; the streams of a link that is full stop rising. */
function progressiveFilling(rates: { up: number; down: number }[], streams: Sent[]): number[] {
  const left = new Map<string, number>();
  const linksOf = ({ from, to }: Sent): [string, string] => [`up${from}`, `down${to}`];
  for (const [i, { up, down }] of rates.entries()) left.set(`up${i}`, up).set(`down${i}`, down);
  const result = new Array<number>(streams.length).fill(0);
  const rising = new Set(streams.keys());
  while (rising.size > 0) {
    const counts = new Map<string, number>();
    for (const i of rising) for (const link of linksOf(streams[i]!)) counts.set(link, (counts.get(link) ?? 0) + 1);
    const step = Math.min(...[...counts].map(([link, count]) => left.get(link)! / count));
    for (const i of rising) result[i]! += step;
    for (const [link, count] of counts) left.set(link, left.get(link)! - step * count);
    for (const i of [...rising]) if (linksOf(streams[i]!).some((link) => left.get(link)! < 1e-9)) rising.delete(i);
  }
  return result;
}

/** The same transfers with every rate computed anew at every event. */
function slowEndsOf(rates: { up: number; down: number }[], sent: Sent[]): number[] {
  const ends: number[] = [];
  const left = sent.map(({ bytes }) => bytes);
  let now = 0;
  while (ends.filter((end) => end !== undefined).length < sent.length) {
    const running = [...sent.keys()].filter((i) => ends[i] === undefined && sent[i]!.at <= now + 1e-12);
    const given = progressiveFilling(
      rates,
      running.map((i) => sent[i]!),
    );
    const nextStart = Math.min(...sent.map(({ at }) => (at > now + 1e-12 ? at : Number.POSITIVE_INFINITY)));
    const nextEnd = Math.min(...running.map((i, k) => now + left[i]! / given[k]!), Number.POSITIVE_INFINITY);
    const next = Math.min(nextStart, nextEnd);
    for (const [k, i] of running.entries()) {
      left[i]! -= given[k]! * (next - now);
      if (left[i]! < 1e-7) ends[i] = next;
    }
    now = next;
  }
  return ends;
}

it('equals progressive filling on any star of links', () => {
  const rate = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ up: rate, down: rate }), { minLength: 2, maxLength: 6 }),
      fc.array(fc.record({ from: fc.nat(5), to: fc.nat(5), bytes: fc.integer({ min: 1, max: 200 }), at: fc.nat(12) }), {
        minLength: 1,
        maxLength: 14,
      }),
      (rates, drawn) => {
        const sent = drawn
          .map((one) => ({ ...one, from: one.from % rates.length, to: one.to % rates.length }))
          .filter(({ from, to }) => from !== to);
        const ends = endsOf(
          rates.map(({ up, down }) => place(up, down)),
          sent,
        );
        const expected = slowEndsOf(rates, sent);
        for (const [i, end] of ends.entries()) expect(end).toBeCloseTo(expected[i]!, 5);
      },
    ),
    { seed: 11, numRuns: 100 },
  );
});
