/** The activities of assemble, as the control worker registers them. */
import { asActivities } from '../failure.ts';
import type { AwayInput } from '../storePatience.ts';
import { type AssembleServices, makeContactSheet, makeFilm, writeManifest } from './outputs.ts';

export type AssembleActivities = ReturnType<typeof createAssembleActivities>;

export const createAssembleActivities = (services: AssembleServices) =>
  asActivities({
    makeContactSheet: (job: AwayInput) => makeContactSheet(services, job),
    makeFilm: (job: AwayInput) => makeFilm(services, job),
    writeManifest: (job: AwayInput) => writeManifest(services, job),
  });
