/** Looks after what has lost its keeper: jobs without workflow, leases without activity, quotes and submissions left lying. */
import { type Client, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { expireAnnouncements } from '../../ports/db/blobs.ts';
import { loseLease } from '../../ports/db/chunks.ts';
import type { Database } from '../../ports/db/client.ts';
import { findOrphans, type Orphans } from '../../ports/db/janitor.ts';
import { transitionJob } from '../../ports/db/jobs.ts';
import { markSilentNodesOffline } from '../../ports/db/nodes.ts';
import { orderReassembly } from '../../ports/db/reassembly.ts';
import { purgeSubmission } from '../../ports/db/submissions.ts';
import { collectGarbage, type GarbageRules } from '../../ports/store/collectGarbage.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import { removeUnnamed } from '../../ports/store/removeUnnamed.ts';
import type { SiteStores } from '../../ports/store/siteStores.ts';
import { renderWorkflowId, WORKFLOWS } from '../../workflows/contract.ts';
import { watchSites } from './siteWatch.ts';

export interface JanitorOptions {
  database: Database;
  store: ObjectStore;
  client: Client;
  taskQueue: string;
  log: Logger;
  /** The stores of all sites and what is kept in them; without, garbage is not collected and sites are not watched. */
  garbage?: { stores: SiteStores; rules: GarbageRules } | undefined;
  /** Between two rounds. */
  everyMs?: number;
  /** A node that says nothing for this long is offline; it asks for work at least every 20 s. */
  silentNodeMs?: number;
}

const EVERY_MS = 15_000;
const SILENT_NODE_MS = 45_000;
/** Between two looks through all stores. */
const GARBAGE_EVERY_MS = 3_600_000;

/** Runs rounds until `stop`. */
export function startJanitor(options: JanitorOptions): { stop: () => Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let round = Promise.resolve();
  const ending = new AbortController();
  let collectedAt = Number.NEGATIVE_INFINITY;
  let collecting = Promise.resolve();
  /** Beside the rounds: looking through large stores takes longer than any of them may wait. */
  const collect = () => {
    if (!options.garbage || performance.now() - collectedAt < GARBAGE_EVERY_MS) return;
    collectedAt = performance.now();
    const work = collectGarbage({ ...options, ...options.garbage, now: new Date(), signal: ending.signal });
    collecting = work.then(
      () => undefined,
      (error: unknown) => {
        if (!ending.signal.aborted) options.log.warn({ err: error }, 'collecting garbage failed');
      },
    );
  };
  const next = () => {
    collect();
    round = cleanUp(options).catch((error: unknown) =>
      options.log.warn({ err: error }, 'a round of the janitor failed'),
    );
    void round.then(() => {
      if (!stopped) timer = setTimeout(next, options.everyMs ?? EVERY_MS);
    });
  };
  timer = setTimeout(next, 1000);
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      ending.abort();
      await Promise.all([round, collecting]);
    },
  };
}

/** One round. */
export async function cleanUp(options: JanitorOptions): Promise<void> {
  const { database, log, silentNodeMs = SILENT_NODE_MS } = options;
  const silent = await database.asService((tx) => markSilentNodesOffline(tx, silentNodeMs));
  if (silent.length > 0) log.info({ nodes: silent }, 'nodes are offline: nothing heard of them');
  if (options.garbage) await watchSites({ database, stores: options.garbage.stores, log });
  const again = await database.asService((tx) => orderReassembly(tx));
  if (again.length > 0) log.info({ jobs: again }, 'film and contact sheet are made again: a site of theirs answers');
  const orphans = await database.asService((tx) => findOrphans(tx));
  for (const { chunkId, leaseNumber } of orphans.expiredLeases) {
    const reason = 'The node stopped sending heartbeats.';
    await database.asService((tx) => loseLease(tx, { chunkId, leaseNumber, reason }));
  }
  for (const { jobId } of orphans.expiredQuotes) {
    await database.asService((tx) => transitionJob(tx, { jobId, to: 'expired' }));
  }
  for (const submission of orphans.staleSubmissions) await dropSubmission(options, submission);
  await dropAbandonedUploads(options);
  for (const job of orphans.runningJobs) await ensureWorkflow(options, job);
  for (const stray of orphans.strayReservations) {
    log.error({ jobId: stray.jobId, reserved: String(stray.reserved), held: String(stray.held) }, 'stray reservation');
  }
}

async function dropSubmission(
  { database, store, log }: JanitorOptions,
  { studioId, jobId }: Orphans['staleSubmissions'][number],
): Promise<void> {
  const hashes = await database.asService((tx) => purgeSubmission(tx, jobId));
  await removeUnnamed(database, store, { studioId, kind: 'blobs', siteId: null, hashes });
  log.info({ jobId, blobs: hashes.length }, 'a submission was left lying and is gone');
}

/** Blobs that were put for a submission that never came. */
async function dropAbandonedUploads({ database, store, log }: JanitorOptions): Promise<void> {
  const blobs = await database.asService((tx) => expireAnnouncements(tx));
  for (const studioId of new Set(blobs.map((blob) => blob.studioId))) {
    const hashes = blobs.filter((blob) => blob.studioId === studioId).map(({ hash }) => hash);
    await removeUnnamed(database, store, { studioId, kind: 'blobs', siteId: null, hashes });
  }
  if (blobs.length > 0) log.info({ blobs: blobs.length }, 'uploads without a submission are gone');
}

/** Starts `renderJob` again for a job whose workflow was lost or ended too early; it goes on from the record. */
async function ensureWorkflow(
  { client, taskQueue, log }: JanitorOptions,
  { studioId, jobId }: Orphans['runningJobs'][number],
): Promise<void> {
  const workflowId = renderWorkflowId(jobId);
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    if (status.name === 'RUNNING') return;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  log.warn({ jobId }, 'the job had no workflow; starting it again');
  await client.workflow.start(WORKFLOWS.renderJob, {
    taskQueue,
    workflowId,
    args: [{ studioId, jobId }],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  });
}
