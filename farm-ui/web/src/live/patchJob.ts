/** What an event changes in a job as lists and pages show it. Pure; the caller fetches what events do not carry. */
import type { JobEvent } from '../api/events.ts';
import type { Job, Stage, StageProgress } from '../api/types.ts';

/** The job after the event: the same object when the event says nothing of it, or nothing new. */
export function patchJob(job: Job, event: JobEvent): Job {
  if (event.jobId !== job.id) return job;
  if (event.seq > 0 && event.seq <= job.eventSeq) return job;
  const patched = withEvent(job, event);
  return event.seq > 0 ? { ...patched, eventSeq: event.seq } : patched;
}

/** Whether the event announces facts that only the job itself carries (prices, limits, times). */
export function needsFetch(event: JobEvent): boolean {
  return (
    event.type === 'job.changed' ||
    event.type === 'quote.made' ||
    event.type === 'output.ready' ||
    event.type === 'invoice.issued' ||
    event.type === 'invoice.posted'
  );
}

function withEvent(job: Job, event: JobEvent): Job {
  switch (event.type) {
    case 'job.changed': {
      const { status, stage, pauseReason, problem } = event.data;
      return { ...job, status, stage, pauseReason, problem };
    }
    case 'stage.started':
      return { ...withStage(job, event.data.stage, { state: 'running', fraction: 0 }), stage: event.data.stage };
    case 'stage.progress':
      return withStage(job, event.data.stage, { state: 'running', fraction: event.data.fraction });
    case 'stage.ended':
      return withStage(job, event.data.stage, { state: 'done', fraction: 1, seconds: event.data.seconds });
    case 'unit.committed': {
      const { committed, spent, cached: fromCache } = event.data;
      const cached = job.frames.cached + (fromCache ? 1 : 0);
      const billed = Math.max(job.frames.billed, committed - cached);
      const frames = { ...job.frames, committed, cached, billed };
      const render = job.stages.find(({ stage }) => stage === 'render');
      const share = job.frames.total === 0 ? 0 : committed / job.frames.total;
      const moved = render?.state === 'running' && share > render.fraction;
      return { ...(moved ? withStage(job, 'render', { fraction: share }) : job), spent, frames };
    }
    case 'delivery.changed':
      return { ...job, delivery: { ...job.delivery, ...event.data } };
    case 'money.changed':
      return { ...job, ...event.data };
    default:
      return job;
  }
}

function withStage(job: Job, stage: Stage, change: Partial<StageProgress>): Job {
  return { ...job, stages: job.stages.map((one) => (one.stage === stage ? { ...one, ...change } : one)) };
}
