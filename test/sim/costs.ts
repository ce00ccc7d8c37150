/**
 * What each program of the lab's machine uses for a frame, a chunk and a megabyte, from the small jobs that the benchmark
 * runs for it (`npm run bench:edge -- --only costs`). None of the runs that the model is held against takes part.
 */
import { FarmError } from '../../domain/errors.ts';
import { type CostsJob, type CostsReport, PROGRAMS, type Program } from '../bench/edge/edgeReport.ts';

/** Core seconds of one program. */
export interface ProgramCost {
  perFrame: number;
  perChunk: number;
  /** For each megabyte of frames: rendered, put, judged and received once. */
  perMB: number;
  /** For each megabyte of the project that is staged. */
  perStagedMB: number;
  /** For each megabyte of frames that only leaves its site and is received; a part of `perMB`. */
  perReceivedMB: number;
  /** The same, when it crosses compressed: per megabyte of the frame. */
  perPackedMB: number;
}

/** The lab's machine: what is left of its cores when nothing is to be done, and what work costs. */
export interface MachineSpec {
  cores: number;
  costs: Record<Program, ProgramCost>;
  /** What a program of a site needs beside for its first frames, in all, since its code is not all compiled yet; core seconds. */
  cold: Record<ColdProgram, number>;
  /** Over how many of its frames. */
  coldFrames: number;
}

/** Programs that are started anew for every run. */
export const COLD_PROGRAMS = ['node', 'store', 'agent'] as const;
export type ColdProgram = (typeof COLD_PROGRAMS)[number];

/** @throws FarmError `SettingInvalid` where the jobs cannot be told apart */
export function machineOf({ cores, idle, jobs, sites }: CostsReport): MachineSpec {
  const rendered = jobs.filter(({ isSecondPull, isFirst }) => !isSecondPull && !isFirst);
  const first = jobs.find(({ isFirst }) => isFirst);
  if (!first) throw new FarmError('SettingInvalid', 'The costs lack a first job.', {});
  const again = (compressed: boolean): CostsJob => {
    const job = jobs.find((one) => one.isSecondPull && one.compressed === compressed);
    if (job) return job;
    throw new FarmError('SettingInvalid', 'The costs lack a second pull of frames.', {});
  };
  const [plain, packed] = [again(false), again(true)];
  let idleCores = 0;
  const costs = {} as Record<Program, ProgramCost>;
  const cold: Record<ColdProgram, number> = { node: 0, store: 0, agent: 0 };
  for (const program of PROGRAMS) {
    const idleShare = idle.coreSeconds[program] / idle.seconds;
    idleCores += idleShare;
    const worked = (job: CostsJob): number => Math.max(0, job.coreSeconds[program] - idleShare * job.seconds);
    // What a job takes for itself, mostly its acceptance, comes before the clock.
    const amountsOf = ({ frames, chunks, frameMB, stagedMB }: CostsJob) => [frames, chunks, frameMB, stagedMB, 1];
    const found = solve(rendered.map(amountsOf), rendered.map(worked));
    const [perFrame, perChunk, perMB, perStagedMB] = found as [number, number, number, number];
    if (isCold(program)) {
      const warm = amountsOf(first).reduce((sum, amount, index) => sum + amount * found[index]!, 0);
      cold[program] = Math.max(0, worked(first) - warm) / sites;
    }
    const [perReceivedMB, perPackedMB] = [worked(plain) / plain.frameMB, worked(packed) / packed.frameMB];
    costs[program] = { perFrame, perChunk, perMB, perStagedMB, perReceivedMB, perPackedMB };
  }
  return { cores: Math.max(0.1, cores - idleCores), costs, cold, coldFrames: Math.ceil(first.frames / sites) };
}

const isCold = (program: Program): program is ColdProgram => COLD_PROGRAMS.some((one) => one === program);

/**
 * Least squares without negative answers (active set as in Lawson and Hanson 1974, chapter 23, by dropping the most negative
 * unknown until none is): each row of `x` times the answer comes near its `y`.
 * @throws FarmError `SettingInvalid` for rows that leave it open
 */
export function solve(x: readonly (readonly number[])[], y: readonly number[]): number[] {
  const width = x[0]?.length ?? 0;
  let columns = Array.from({ length: width }, (_, column) => column).filter((column) =>
    x.some((row) => row[column]! > 0),
  );
  while (true) {
    const found = leastSquares(
      x.map((row) => columns.map((column) => row[column]!)),
      y,
    );
    const worst = found.reduce((at, value, index) => (value < found[at]! ? index : at), 0);
    if (found.length === 0 || found[worst]! >= 0) {
      const answer = new Array<number>(width).fill(0);
      for (const [index, column] of columns.entries()) answer[column] = found[index]!;
      return answer;
    }
    columns = columns.filter((_, index) => index !== worst);
  }
}

/** By the normal equations and Gauss' elimination with the largest pivot; columns are brought to one size first. */
function leastSquares(x: readonly (readonly number[])[], y: readonly number[]): number[] {
  const width = x[0]?.length ?? 0;
  const scale = Array.from({ length: width }, (_, c) => Math.max(...x.map((row) => row[c]!)));
  const rows = x.map((row) => row.map((value, c) => value / scale[c]!));
  const matrix = Array.from({ length: width }, (_, a) => [
    ...Array.from({ length: width }, (_, b) => rows.reduce((sum, row) => sum + row[a]! * row[b]!, 0)),
    rows.reduce((sum, row, index) => sum + row[a]! * y[index]!, 0),
  ]);
  for (let pivot = 0; pivot < width; pivot++) {
    let best = pivot;
    for (let row = pivot; row < width; row++) {
      if (Math.abs(matrix[row]![pivot]!) > Math.abs(matrix[best]![pivot]!)) best = row;
    }
    [matrix[pivot], matrix[best]] = [matrix[best]!, matrix[pivot]!];
    const head = matrix[pivot]!;
    if (Math.abs(head[pivot]!) < 1e-9) {
      throw new FarmError('SettingInvalid', 'The jobs of the costs are too much alike to tell costs apart.', {});
    }
    for (let row = 0; row < width; row++) {
      if (row === pivot) continue;
      const factor = matrix[row]![pivot]! / head[pivot]!;
      for (let c = pivot; c <= width; c++) matrix[row]![c]! -= factor * head[c]!;
    }
  }
  return matrix.map((row, index) => row[width]! / row[index]! / scale[index]!);
}
