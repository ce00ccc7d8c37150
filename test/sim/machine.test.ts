import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from './events.ts';
import { Machine, type Program } from './machine.ts';

type Make = (machine: Machine) => Program;

/** When each piece of work ends that all begin at once; a program by its index. */
function endsOf(cores: number, programs: Make[], work: [program: number, coreSeconds: number][]): number[] {
  const events = new EventQueue();
  const machine = new Machine(events, cores);
  const made = programs.map((make) => make(machine));
  const ends: number[] = [];
  for (const [index, [program, seconds]] of work.entries()) {
    machine.work(made[program]!, seconds, () => (ends[index] = events.now));
  }
  events.run();
  return ends;
}

const plain: Make = (machine) => machine.program('plain');

describe('programs on one machine', () => {
  it('have a core each while there are enough', () => {
    expect(
      endsOf(
        2,
        [plain, plain],
        [
          [0, 1],
          [1, 3],
        ],
      ),
    ).toEqual([1, 3]);
  });

  it('share cores evenly, and the rest has more when one is done', () => {
    // Three on two cores: two thirds each until the first is done after 1.5 s, then a core each.
    const ends = endsOf(
      2,
      [plain, plain, plain],
      [
        [0, 1],
        [1, 2],
        [2, 2],
      ],
    );
    expect(ends[0]).toBeCloseTo(1.5, 9);
    expect(ends[1]).toBeCloseTo(2.5, 9);
  });

  it('share cores by weight', () => {
    const heavy: Make = (machine) => machine.program('heavy', { weight: 3 });
    const ends = endsOf(
      1,
      [heavy, plain],
      [
        [0, 3],
        [1, 3],
      ],
    );
    expect(ends[0]).toBeCloseTo(4, 9);
    expect(ends[1]).toBeCloseTo(6, 9);
  });

  it('do one thing after the other, or many in turns', () => {
    const turns: Make = (machine) => machine.program('turns', { slots: Number.POSITIVE_INFINITY });
    const work: [number, number][] = [
      [0, 1],
      [0, 1],
    ];
    expect(endsOf(4, [plain], work)).toEqual([1, 2]);
    expect(endsOf(4, [turns], work)).toEqual([2, 2]);
  });

  it('use no more cores than they have threads', () => {
    const threads: Make = (machine) => machine.program('threads', { threads: 2, slots: 3 });
    expect(
      endsOf(
        4,
        [threads],
        [
          [0, 2],
          [0, 2],
          [0, 2],
        ],
      ),
    ).toEqual([3, 3, 3]);
  });
});

it('loses no core second, whatever comes when', () => {
  const one = fc.record({ program: fc.nat(4), seconds: fc.integer({ min: 1, max: 50 }), at: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 4 }), (drawn, cores) => {
      const events = new EventQueue();
      const machine = new Machine(events, cores);
      const programs = Array.from({ length: 5 }, (_, index) =>
        machine.program(`${index}`, { threads: 1 + (index % 2), slots: 1 + index, weight: 1 + index }),
      );
      let ended = 0;
      let last = 0;
      for (const { program, seconds, at } of drawn) {
        events.at(at, () =>
          machine.work(programs[program]!, seconds, () => {
            ended++;
            last = events.now;
          }),
        );
      }
      events.run();
      const total = drawn.reduce((sum, { seconds }) => sum + seconds, 0);
      expect(ended).toBe(drawn.length);
      expect(machine.used).toBeCloseTo(total, 5);
      expect(last).toBeGreaterThanOrEqual(total / cores - 1e-6);
      // At worst one core works at a time.
      expect(last).toBeLessThanOrEqual(40 + total + 1e-6);
    }),
    { seed: 17, numRuns: 100 },
  );
});
