/** A measurement of costs as a machine would give it whose costs are known: for tests. */
import { type CostsJob, type CostsReport, PROGRAMS, type Program } from '../bench/edge/edgeReport.ts';
import type { ProgramCost } from './costs.ts';

/** What each program costs, all different. */
export const TRUE_COSTS = Object.fromEntries(
  PROGRAMS.map((program, index): [Program, ProgramCost] => {
    const perMB = 0.003 + index * 1e-4;
    const perReceivedMB = program === 'store' || program === 'studio' ? perMB / 4 : 0;
    return [
      program,
      {
        ...{ perFrame: 0.01 + index * 1e-3, perChunk: 0.02 + index * 1e-3, perMB, perStagedMB: 0.004 + index * 1e-4 },
        ...{ perReceivedMB, perPackedMB: program === 'agent' || program === 'studio' ? 0.02 : perReceivedMB },
      },
    ];
  }),
) as Record<Program, ProgramCost>;
/** Of a core, for each program. */
export const IDLE_SHARE = 0.005;

/** Of each node, for its first two frames. */
export const COLD_SECONDS = 0.15;

/** A measurement by a machine on which work costs just that, and a job 0.3 core seconds of each program. */
export function inventedCosts(): CostsReport {
  const each = (of: (cost: ProgramCost, program: Program) => number): Record<Program, number> =>
    Object.fromEntries(PROGRAMS.map((program) => [program, of(TRUE_COSTS[program], program)])) as Record<
      Program,
      number
    >;
  const job = (name: string, frames: number, chunks: number, frameMB: number, stagedMB: number): CostsJob => ({
    ...{ name, frames, chunks, frameMB, stagedMB, isSecondPull: false, compressed: false },
    ...{ isFirst: false, seconds: 4 },
    coreSeconds: each(
      (cost) =>
        0.3 +
        4 * IDLE_SHARE +
        frames * cost.perFrame +
        chunks * cost.perChunk +
        frameMB * cost.perMB +
        stagedMB * cost.perStagedMB,
    ),
  });
  const again = (compressed: boolean): CostsJob => ({
    ...{ ...job('again', 20, 0, 120, 0), isSecondPull: true, compressed },
    coreSeconds: each((cost) => 4 * IDLE_SHARE + 120 * (compressed ? cost.perPackedMB : cost.perReceivedMB)),
  });
  const warm = job('first', 20, 20, 3, 0.2);
  const first: CostsJob = {
    ...{ ...warm, isFirst: true },
    coreSeconds: each((_, program) => warm.coreSeconds[program] + (program === 'node' ? 10 * COLD_SECONDS : 0)),
  };
  return {
    ...{ size: 0.02, sites: 10, cores: 2, idle: { seconds: 6, coreSeconds: each(() => 6 * IDLE_SHARE) } },
    jobs: [
      first,
      ...[job('frames', 80, 40, 12, 1), job('chunks', 30, 30, 4, 0.5), job('bytes', 20, 20, 120, 0.3)],
      ...[again(false), again(true), job('staged', 20, 20, 3, 200), job('single', 1, 1, 0.1, 0.1)],
    ],
  };
}
