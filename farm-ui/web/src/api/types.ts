/**
 * What the HTTP API answers, by the names that the page uses. The shapes are generated from the API's own description;
 * money is a decimal string of token base units, times are ISO 8601.
 */
import type { components } from '../../../../cli/sdk/openapi.d.ts';

type Schemas = components['schemas'];

/** The six stages in their order. */
export const STAGES = ['intake', 'plan', 'render', 'verify', 'assemble', 'settle'] as const satisfies Stage[];

export type Stage = Schemas['StageProgress']['stage'];
export type StageProgress = Schemas['StageProgress'];
export type JobStatus = Schemas['Job']['status'];
export type UnitStatus = Schemas['Frame']['status'];

/** problem+json (RFC 9457) with the farm's catalogue: code, place, remedy, whose fault. */
export type Problem = Omit<Schemas['Problem'], 'type' | 'title' | 'status'> &
  Partial<Pick<Schemas['Problem'], 'type' | 'title' | 'status'>>;

export type Job = Schemas['Job'];
/** What intake saw in the scene. */
export type Inspection = NonNullable<Job['inspection']>;
export type Quote = Schemas['Quote'];
export type JobRequest = Schemas['JobRequest'];
export type SubmittedFile = Schemas['SubmittedFile'];
export type JobCreated = Schemas['JobCreated'];
export type MissingBlob = Schemas['MissingBlob'];
export type Frame = Schemas['Frame'];
export type Outputs = Schemas['Outputs'];
export type DownloadUrl = Schemas['DownloadUrl'];
export type FarmNode = Schemas['Node'];
export type Site = Schemas['Site'];
export type SiteChange = Schemas['SiteChange'];
export type Invoice = Schemas['Invoice'];
export type Verification = Schemas['Verification'];
export type Why = Schemas['Why'];
export type FarmInfo = Schemas['FarmInfo'];
export type Me = Schemas['Me'];

/** One page of a list; `nextCursor` null on the last one. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}
