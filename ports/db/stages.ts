/** How a job tells where it is: its state, its money, its stages. */
import type { Problem } from '../../domain/errors.ts';
import type { Stage } from '../../domain/statuses.ts';
import type { Tx } from './client.ts';
import { json } from './documents.ts';
import { appendEvent } from './events.ts';
import { lockJobState } from './locks.ts';
import type { JobRow } from './tables.ts';

/** Appends `job.changed` with what the row says now. */
export async function announceJob(tx: Tx, job: JobRow): Promise<void> {
  const { studioId, id: jobId, status, stage, pauseReason } = job;
  const problem = job.problem as Problem | null;
  await appendEvent(tx, { studioId, jobId, type: 'job.changed', data: { status, stage, pauseReason, problem } });
}

/** Appends `money.changed` with what the row says now. */
export async function announceMoney(tx: Tx, { studioId, id, cap, reserved, spent }: JobRow): Promise<void> {
  const data = { cap: String(cap), reserved: String(reserved), spent: String(spent) };
  await appendEvent(tx, { studioId, jobId: id, type: 'money.changed', data });
}

/** A stage begins: it becomes the job's stage, event `stage.started` unless it was measured already. Said again, nothing changes. */
export async function startStage(tx: Tx, jobId: string, stage: Stage): Promise<void> {
  const job = await lockJobState(tx, jobId);
  if (job.stageStarted[stage] !== undefined) return;
  await tx
    .updateTable('jobs')
    .set({ stage, stageStarted: json({ ...job.stageStarted, [stage]: new Date().toISOString() }) })
    .where('studioId', '=', job.studioId)
    .where('id', '=', jobId)
    .execute();
  // Verify works while frames render and is measured before it is the job's only stage: no start after its end.
  if (job.stageSeconds[stage] !== undefined) return;
  await appendEvent(tx, { studioId: job.studioId, jobId, type: 'stage.started', data: { stage } });
}

/** A stage has ended after so many seconds of wall time (default: since it began), event `stage.ended`. Once. */
export async function endStage(tx: Tx, jobId: string, stage: Stage, seconds?: number): Promise<void> {
  const job = await lockJobState(tx, jobId);
  if (job.stageSeconds[stage] !== undefined) return;
  const began = job.stageStarted[stage];
  const took = seconds ?? (began === undefined ? 0 : Math.max(0, (Date.now() - Date.parse(began)) / 1000));
  await tx
    .updateTable('jobs')
    .set({ stageSeconds: json({ ...job.stageSeconds, [stage]: took }) })
    .where('studioId', '=', job.studioId)
    .where('id', '=', jobId)
    .execute();
  await appendEvent(tx, { studioId: job.studioId, jobId, type: 'stage.ended', data: { stage, seconds: took } });
}
