/** What the HTTP server stands on; `main.ts` wires the real things, tests wire theirs. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Chain } from '../../ports/chain/chain.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Database } from '../../ports/db/client.ts';
import type { GarbageRules } from '../../ports/store/collectGarbage.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import type { SiteStores } from '../../ports/store/siteStores.ts';
import type { JobReference } from '../../workflows/contract.ts';

/** What the API asks of the workflow engine. */
export interface Workflows {
  /**
   * Runs `prepareJob` and waits for it; a preparation that runs already is waited for.
   * @throws FarmError the problem it failed with; `ServiceFailed` when Temporal does not answer
   */
  prepareJob(job: JobReference): Promise<void>;
  /** @throws FarmError `ServiceFailed` */
  check(): Promise<void>;
}

export interface GatewaySettings {
  /** Secret that a machine needs to join; undefined: nobody joins. */
  joinToken: string | undefined;
  /** How long a lease lives without a heartbeat. */
  leaseMs: number;
  /** How often a node says that it lives. */
  heartbeatMs: number;
  /** Longest wait of a claim. */
  claimWaitMs: number;
}

/** Short enough that a killed node costs seconds, long enough that a busy machine is not taken for dead. */
export const DEFAULT_GATEWAY: Omit<GatewaySettings, 'joinToken'> = {
  leaseMs: 10_000,
  heartbeatMs: 2_000,
  claimWaitMs: 20_000,
};

export interface ApiDeps {
  database: Database;
  /** The farm's own store, home. */
  store: ObjectStore;
  /** The stores of all sites. */
  stores: SiteStores;
  workflows: Workflows;
  /** Only read from: what the API decides reaches the chain through the workflows. */
  chain: Chain;
  clock: Clock;
  gateway: GatewaySettings;
  /** What is kept in the stores; default `DEFAULT_GARBAGE_RULES`. */
  garbage?: GarbageRules | undefined;
  /** Absolute folder of the built page; undefined: no page. */
  pageFolder: string | undefined;
  /** Version of the farm's software. */
  version: string;
}

/** A Fastify instance that validates and types by zod. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>;
