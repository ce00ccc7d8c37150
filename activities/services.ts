/** What activities are handed by the worker that runs them: the world, and nothing global. */
import type { Logger } from 'pino';
import { type Policy, resolvePolicy } from '../domain/policy.ts';
import type { Clock } from '../ports/clock.ts';
import type { Database, Tx } from '../ports/db/client.ts';
import type { JobRow } from '../ports/db/tables.ts';
import type { ObjectStore } from '../ports/store/objectStore.ts';
import type { SiteStores } from '../ports/store/siteStores.ts';

/** For every activity. */
export interface FarmServices {
  database: Database;
  /** The farm's own store, home. */
  store: ObjectStore;
  /** The stores of all sites. */
  stores: SiteStores;
  clock: Clock;
  log: Logger;
  /** The operator's policy for all jobs (`FARM_POLICY`); a job's own comes on top. */
  operatorPolicy: Record<string, unknown>;
}

/** Which job; the same shape as the workflows' `JobReference`, which activities do not import. */
export interface JobKey {
  studioId: string;
  jobId: string;
}

/** The policy in force for a job. Throws `SettingInvalid`. */
export function policyOf(services: Pick<FarmServices, 'operatorPolicy'>, job: Pick<JobRow, 'policy'>): Policy {
  return resolvePolicy(services.operatorPolicy, job.policy);
}

/** A transaction as the farm itself; every query still names the studio. */
export const inRecord = <T>(services: Pick<FarmServices, 'database'>, work: (tx: Tx) => Promise<T>): Promise<T> =>
  services.database.asService(work);
