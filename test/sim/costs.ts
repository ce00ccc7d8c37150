/**
 * What each program of the lab's machine uses for a frame, a chunk and a megabyte, from the small jobs that the benchmark
 * runs for it (`npm run bench:edge -- --only costs`). None of the runs that the model is held against takes part.
 */
import { fcnnlsVector } from 'ml-fcnnls';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
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
 * Least squares without negative answers (Van Benthem and Keenan 2004): each row of `x` times the answer comes near its `y`.
 * @throws FarmError `SettingInvalid` for rows that leave it open
 */
export function solve(x: readonly (readonly number[])[], y: readonly number[]): number[] {
  // To one size: chunks are some tens, bytes some hundreds of megabytes, and what no job has is no unknown.
  const sizes = x[0]!.map((_, column) => Math.max(...x.map((row) => row[column]!)));
  const present = sizes.flatMap((size, column) => (size > 0 ? [column] : []));
  const rows = x.map((row) => present.map((column) => row[column]! / sizes[column]!));
  if (new SingularValueDecomposition(new Matrix(rows), { autoTranspose: true }).rank < present.length) {
    throw new FarmError('SettingInvalid', 'The jobs of the costs are too much alike to tell costs apart.', {});
  }
  const found = fcnnlsVector(new Matrix(rows), [...y]).K.to1DArray();
  const answer = new Array<number>(sizes.length).fill(0);
  for (const [index, column] of present.entries()) answer[column] = found[index]! / sizes[column]!;
  return answer;
}
