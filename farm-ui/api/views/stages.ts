/** Where a job stands, stage by stage. */
import { isFinalJob, STAGES, type Stage } from '../../../domain/statuses.ts';
import type { JobRow } from '../../../ports/db/tables.ts';
import type { JobView } from '../schema/api.ts';

type StageView = JobView['stages'][number];

export interface StageCounts {
  total: number;
  /** Units that arrived, whatever verify says. */
  delivered: number;
  committed: number;
  invoiced: boolean;
}

export function stageViews(
  job: Pick<JobRow, 'status' | 'stage' | 'stageStarted' | 'stageSeconds' | 'outputs'>,
  counts: StageCounts,
): StageView[] {
  return STAGES.map((stage) => {
    const seconds = job.stageSeconds[stage] ?? null;
    const state = stateOf(job, stage, seconds);
    return { stage, state, fraction: fractionOf(job, stage, state, counts), seconds };
  });
}

function stateOf(
  job: Pick<JobRow, 'status' | 'stage' | 'stageStarted'>,
  stage: Stage,
  seconds: number | null,
): StageView['state'] {
  if (seconds !== null) return 'done';
  const started = job.stageStarted[stage] !== undefined || (job.stage === stage && !isFinalJob(job.status));
  if (!isFinalJob(job.status)) return started ? 'running' : 'waiting';
  if (job.status === 'completed') return 'done';
  if (job.status === 'failed' && started && stage === job.stage) return 'failed';
  return 'skipped';
}

function fractionOf(
  job: Pick<JobRow, 'outputs'>,
  stage: Stage,
  state: StageView['state'],
  { total, delivered, committed, invoiced }: StageCounts,
): number {
  if (state === 'done') return 1;
  const share = (part: number): number => (total > 0 ? Math.min(1, part / total) : 0);
  if (stage === 'render') return share(delivered);
  if (stage === 'verify') return share(committed);
  if (state === 'waiting' || state === 'skipped') return 0;
  if (stage === 'assemble') return Math.min(1, Object.keys(job.outputs ?? {}).length / 3);
  if (stage === 'settle') return invoiced ? 0.5 : 0;
  return 0;
}
