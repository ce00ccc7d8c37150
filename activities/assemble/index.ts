/** The activities of assemble, as the control worker registers them. */
import { asActivities } from '../failure.ts';
import type { JobKey } from '../services.ts';
import { type AssembleServices, makeContactSheet, makeFilm, writeManifest } from './outputs.ts';

export type AssembleActivities = ReturnType<typeof createAssembleActivities>;

export const createAssembleActivities = (services: AssembleServices) =>
  asActivities({
    makeContactSheet: (job: JobKey) => makeContactSheet(services, job),
    makeFilm: (job: JobKey) => makeFilm(services, job),
    writeManifest: (job: JobKey) => writeManifest(services, job),
  });
