/** The activities of render: what the control worker does around the chunks, and what the dispatch worker does with them. */
import { asActivities } from '../failure.ts';
import type { FarmServices, JobKey } from '../services.ts';
import { type CalibrateInput, calibrate } from './calibrate.ts';
import { deliveryIsAwaited, endJob, keepProblem, markStage, type StageMark, stopJob } from './lifecycle.ts';
import { type DispatchServices, type RenderChunkInput, renderChunk } from './renderChunk.ts';

export type RenderActivities = ReturnType<typeof createRenderActivities>;
export type DispatchActivities = ReturnType<typeof createDispatchActivities>;

export const createRenderActivities = (services: FarmServices) =>
  asActivities({
    markStage: (mark: StageMark) => markStage(services, mark),
    stopJob: (input: Parameters<typeof stopJob>[1]) => stopJob(services, input),
    endJob: (input: Parameters<typeof endJob>[1]) => endJob(services, input),
    deliveryIsAwaited: (job: JobKey) => deliveryIsAwaited(services, job),
    keepProblem: (input: Parameters<typeof keepProblem>[1]) => keepProblem(services, input),
  });

export const createDispatchActivities = (services: DispatchServices) =>
  asActivities({
    calibrate: (input: CalibrateInput) => calibrate(services, input),
    renderChunk: (input: RenderChunkInput) => renderChunk(services, input),
  });
