import { describe, expect, it } from 'vitest';
import { PROGRAMS } from '../bench/edge/edgeReport.ts';
import { machineOf, type ProgramCost, solve } from './costs.ts';
import { EventQueue } from './events.ts';
import { COLD_SECONDS, IDLE_SHARE, inventedCosts, TRUE_COSTS } from './inventedCosts.ts';
import { LabMachine, STEPS, type Step } from './labMachine.ts';

describe('costs of work', () => {
  it('are found again from what jobs used', () => {
    const { cores, costs, cold, coldFrames } = machineOf(inventedCosts());
    expect(coldFrames).toBe(2);
    expect(cold.node).toBeCloseTo(COLD_SECONDS, 6);
    expect(cold.agent).toBeCloseTo(0, 6);
    expect(cores).toBeCloseTo(2 - PROGRAMS.length * IDLE_SHARE, 9);
    for (const program of PROGRAMS) {
      for (const [what, value] of Object.entries(TRUE_COSTS[program])) {
        expect(costs[program][what as keyof ProgramCost]).toBeCloseTo(value, 6);
      }
    }
  });

  it('are never negative, and what is left explains the rest', () => {
    // Exactly would be 2 and −1.
    expect(
      solve(
        [
          [1, 1],
          [1, 0],
        ],
        [1, 2],
      )[1],
    ).toBe(0);
    expect(
      solve(
        [
          [1, 1],
          [1, 0],
        ],
        [1, 2],
      )[0],
    ).toBeCloseTo(1.5, 9);
  });

  it('cannot be told apart from jobs that are alike', () => {
    const costs = inventedCosts();
    const same = costs.jobs.map((job) => ({ ...job, frames: 10, chunks: 10 }));
    expect(() => machineOf({ ...costs, jobs: same })).toThrow('too much alike');
    expect(() => machineOf({ ...costs, jobs: costs.jobs.filter(({ compressed }) => !compressed) })).toThrow('lack');
  });

  it('are all given to steps, none twice', () => {
    const cold = { node: 0, store: 0, agent: 0 };
    const costsOf = (steps: Step[], megabytes: number): number => {
      const events = new EventQueue();
      const lab = new LabMachine(events, { cores: 2, costs: TRUE_COSTS, cold, coldFrames: 2 }, 1, false);
      for (const step of steps) lab.do(step, 0, lab.newNode(), megabytes, () => {});
      events.run();
      return lab.machine.used;
    };
    const sum = (of: (cost: ProgramCost) => number): number =>
      PROGRAMS.reduce((total, program) => total + of(TRUE_COSTS[program]), 0);
    const [chunk, staging]: [Step[], Step[]] = [
      ['offer', 'claim', 'finish'],
      ['stage', 'assemble'],
    ];
    // A head is a part of what is put.
    const frame = STEPS.filter((step) => step !== 'head' && !chunk.includes(step) && !staging.includes(step));
    expect(costsOf(['head'], 10) + costsOf(['put'], 20)).toBeCloseTo(costsOf(['put'], 30), 9);
    expect(costsOf(frame, 0)).toBeCloseTo(
      sum(({ perFrame }) => perFrame),
      9,
    );
    expect(costsOf(frame, 30)).toBeCloseTo(
      sum(({ perFrame, perMB }) => perFrame + 30 * perMB),
      9,
    );
    expect(costsOf(chunk, 30)).toBeCloseTo(
      sum(({ perChunk }) => perChunk),
      9,
    );
    expect(costsOf(staging, 20)).toBeCloseTo(20 * sum(({ perStagedMB }) => perStagedMB), 9);
  });

  it('are higher for the first frames of a program, once', () => {
    const events = new EventQueue();
    const cold = { node: 0.2, store: 0, agent: 0 };
    const lab = new LabMachine(events, { cores: 2, costs: TRUE_COSTS, cold, coldFrames: 2 }, 1, false);
    const node = lab.newNode();
    const used = [0, 1, 2].map(() => {
      const before = lab.machine.used;
      lab.do('put', 0, node, 1, () => {});
      events.run();
      return lab.machine.used - before;
    });
    expect(used[0]! - used[2]!).toBeCloseTo(0.1, 9);
    expect(used[1]! - used[2]!).toBeCloseTo(0.1, 9);
  });
});
