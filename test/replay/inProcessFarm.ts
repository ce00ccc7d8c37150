/**
 * The farm's workers on the real services of the test run, in this process, with nodes that do what a test tells them: they
 * take chunks by the same functions as the gateway and deliver small real pictures instead of tracing.
 */
import { randomBytes } from 'node:crypto';
import { NodeIO } from '@gltf-transform/core';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { Mnemonic } from 'ethers';
import { pino } from 'pino';
import type { FarmServices, JobKey } from '../../activities/services.ts';
import type { JobStatus } from '../../domain/statuses.ts';
import { operatorAccount, sessionAccount, studioAccount, treasuryAccount } from '../../ports/chain/accounts.ts';
import type { Chain } from '../../ports/chain/chain.ts';
import { deployFresh, EMBEDDED_OPTIONS } from '../../ports/chain/deployment.ts';
import { connectChain } from '../../ports/chain/ethersChain.ts';
import { fundGas } from '../../ports/chain/provider.ts';
import { systemClock } from '../../ports/clock.ts';
import { acceptQuote, requireJob, transitionJob } from '../../ports/db/jobs.ts';
import { enqueue } from '../../ports/db/outbox.ts';
import { createStudio, setTariff } from '../../ports/db/studios.ts';
import { createSubmission } from '../../ports/db/submissions.ts';
import type { JobRow } from '../../ports/db/tables.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { createSiteStores } from '../../ports/store/siteStores.ts';
import { startRelay } from '../../workers/control/relay.ts';
import { createControlWorker } from '../../workers/control/worker.ts';
import { createDispatchWorker } from '../../workers/dispatch/worker.ts';
import { workflowCode } from '../../workers/farm.ts';
import { createSettleWorker } from '../../workers/settle/worker.ts';
import { prepareWorkflowId, SIGNALS, type SignalName, taskQueues, WORKFLOWS } from '../../workflows/contract.ts';
import { openTestRecord, type TestRecord } from '../support/rows.ts';
import { cubeScene } from '../support/scenes.ts';
import { createTestBucket, createTestNamespace } from '../support/services.ts';
import type { StackAddresses } from '../support/stack.ts';

const ONE_CMP = 10n ** 18n;

export interface InProcessFarm {
  record: TestRecord;
  services: FarmServices;
  chain: Chain;
  client: Client;
  studioId: string;
  /** Base units of CMP that the studio had when the farm was made. */
  funds: bigint;
  /** Starts a dispatch worker; the farm has one unless it was made without. */
  startDispatch(): Promise<{ stop: () => Promise<void> }>;
  /** Uploads a small scene and writes the submission. `wishes` go into its settings. */
  submit(wishes?: Submitted): Promise<JobKey>;
  /** Runs `prepareJob` to its end, as the API does. */
  prepare(job: JobKey): Promise<void>;
  /** Accepts the quote with this cap, or the suggested one. */
  accept(job: JobKey, cap?: bigint): Promise<void>;
  /** Changes the job's state and signals its workflow in one transaction, as the API does. */
  steer(job: JobKey, signal: SignalName, ...args: unknown[]): Promise<void>;
  row(job: JobKey): Promise<JobRow>;
  /** Waits until the job has this status. */
  until(job: JobKey, status: JobStatus, timeoutMs?: number): Promise<JobRow>;
  stop(): Promise<void>;
}

export interface Submitted {
  name?: string;
  frames?: string;
  width?: number;
  height?: number;
  cap?: string;
  camera?: string;
  /** Of the file's scenes. */
  scene?: string;
  policy?: Record<string, unknown>;
  /** The scene file; default a turning cube. */
  bytes?: Buffer;
  /** More files of the project; with `main`, all of them. */
  files?: { path: string; bytes: Buffer }[];
  main?: string;
  samples?: number;
  /** Default false: tests submit one scene again and again. */
  cache?: boolean;
  /** The studio takes the frames; the job ends when it has acknowledged all. */
  awaitDelivery?: boolean;
  /** Leave the upload out. */
  missing?: boolean;
}

export interface FarmOptions {
  operatorPolicy?: Record<string, unknown>;
  /** Base units that the studio has. */
  funds?: bigint;
  dispatch?: boolean;
}

let quiet = false;

/** Temporal's workers say only what is wrong. */
export function quietTemporal(): void {
  if (quiet) return;
  quiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
}

/** Makes a farm with a record, bucket, namespace and contracts of its own. */
export async function startInProcessFarm(
  stack: StackAddresses,
  { operatorPolicy = {}, funds = 1000n * ONE_CMP, dispatch = true }: FarmOptions = {},
): Promise<InProcessFarm> {
  quietTemporal();
  const record = await openTestRecord();
  const { database } = record;
  const store = createMinioStore(await createTestBucket());
  const { address, namespace } = await createTestNamespace();
  const temporal = await NativeConnection.connect({ address });
  const client = new Client({ connection: temporal, namespace });
  const queues = taskQueues();
  const log = pino({ level: process.env.FARM_LOG_LEVEL ?? 'error' });
  const stores = createSiteStores(store, database);
  const services: FarmServices = { database, store, stores, clock: systemClock, log, operatorPolicy };

  // Keys of its own: test files share the chain, and an account's nonces are nobody else's business.
  const mnemonic = Mnemonic.fromEntropy(randomBytes(16)).phrase;
  const chain = await openChain(stack.chain.rpc, mnemonic, funds);
  const { deployment } = chain;
  const studio = await database.asService(async (tx) => {
    await setTariff(tx, {
      ...{ currency: 'EUR', pricePerFbh: 3600n * ONE_CMP, centsPerTokenE6: 25_000_000, taxBasisPoints: 1900 },
    });
    return createStudio(tx, {
      ...{ slug: 'north', name: 'North Light', currency: 'EUR', keyIndex: 0, billing: { address: ['1 Film Road'] } },
      account: studioAccount(mnemonic, 0).address,
      sessionAccount: sessionAccount(mnemonic, 0).address,
    });
  });
  const studioId = studio.id;

  const control = await createControlWorker({
    ...{ services, temporal, namespace, mnemonic },
    taskQueue: queues.control,
    workflows: workflowCode(),
  });
  const settle = await createSettleWorker({
    services: { ...services, chain, mnemonic, seller: { name: 'Framewright test', address: ['Here'] } },
    ...{ temporal, namespace },
    taskQueue: queues.settle,
  });
  const relay = await startRelay({ database, client, taskQueue: queues.control, log });
  const ended = [control.run(), settle.run()];
  const dispatchers = new Set<{ stop: () => Promise<void> }>();

  const farm: InProcessFarm = {
    ...{ record, services, chain, client, studioId, funds },
    async startDispatch() {
      const worker = await createDispatchWorker({
        ...{ services, temporal, namespace, mnemonic },
        taskQueue: queues.dispatch,
      });
      const run = worker.run();
      const started = {
        async stop() {
          if (!dispatchers.delete(started)) return;
          worker.shutdown();
          await run;
        },
      };
      dispatchers.add(started);
      return started;
    },
    async submit({ bytes, files: more = [], missing = false, ...wishes } = {}) {
      const scene = bytes ?? Buffer.from(await new NodeIO().writeBinary(await cubeScene()));
      const { hash, sizeBytes } = await store.put(studioId, 'blobs', scene, 'model/gltf-binary');
      if (missing) await store.remove(studioId, 'blobs', hash);
      const { name = 'shot', frames, cap, camera, scene: chosen, policy, width = 16, height = 9 } = wishes;
      const { main = 'scene.glb', samples = 4, cache = false, awaitDelivery } = wishes;
      const others = await Promise.all(
        more.map(async ({ path, bytes }) => ({
          path,
          ...(await store.put(studioId, 'blobs', bytes, 'model/gltf-binary')),
        })),
      );
      const files = [...(main === 'scene.glb' ? [{ path: main, hash, sizeBytes }] : []), ...others];
      const jobId = await database.withStudio(studioId, (tx) =>
        createSubmission(tx, {
          ...{ studioId, name, policy },
          submission: {
            formatVersion: 1,
            main,
            files,
            template: '{shot}.{frame:04}.{ext}',
            frames,
            cap,
            cache,
            awaitDelivery,
          },
          settings: { width, height, samples, ...(camera ? { camera } : {}), ...(chosen ? { scene: chosen } : {}) },
          token: {
            chainId: deployment.chainId,
            contract: deployment.settlement,
            token: deployment.token,
            tokenDecimals: deployment.tokenDecimals,
          },
        }),
      );
      return { studioId, jobId };
    },
    async prepare(job) {
      await client.workflow.execute(WORKFLOWS.prepareJob, {
        taskQueue: queues.control,
        workflowId: prepareWorkflowId(job.jobId),
        args: [job],
      });
    },
    async accept({ jobId }, cap) {
      await database.withStudio(studioId, async (tx) => {
        const quote = await tx.selectFrom('quotes').selectAll().where('jobId', '=', jobId).executeTakeFirstOrThrow();
        await acceptQuote(tx, { jobId, cap: cap ?? quote.suggestedCap });
      });
    },
    async steer({ jobId }, signal, ...args) {
      await database.withStudio(studioId, async (tx) => {
        if (signal === SIGNALS.pauseJob) await transitionJob(tx, { jobId, to: 'paused', pauseReason: 'user' });
        if (signal === SIGNALS.resumeJob) await transitionJob(tx, { jobId, to: 'active' });
        if (signal === SIGNALS.cancelJob) await transitionJob(tx, { jobId, to: 'stopping', stopReason: 'cancel' });
        await enqueue(tx, { studioId, topic: 'signal-workflow', payload: { workflowId: jobId, signal, args } });
      });
    },
    row: ({ jobId }) => database.asService((tx) => requireJob(tx, jobId)),
    async until(job, status, timeoutMs = 60_000) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const row = await farm.row(job);
        if (row.status === status) return row;
        if (performance.now() > deadline) {
          throw new Error(`The job is ${row.status}, not ${status}: ${JSON.stringify(row.problem)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async stop() {
      await relay.stop();
      await Promise.all([...dispatchers].map((worker) => worker.stop()));
      control.shutdown();
      settle.shutdown();
      await Promise.all(ended);
      await temporal.close();
      chain.close();
      await record.close();
    },
  };
  if (dispatch) await farm.startDispatch();
  return farm;
}

/** Fresh contracts, and a studio with money. */
async function openChain(rpc: string, mnemonic: string, funds: bigint): Promise<Chain> {
  const operator = operatorAccount(mnemonic);
  const payer = studioAccount(mnemonic, 0);
  await fundGas(rpc, operator.address, 100n * ONE_CMP);
  await fundGas(rpc, payer.address, 100n * ONE_CMP);
  const deployment = await deployFresh(rpc, operator.key, {
    ...EMBEDDED_OPTIONS,
    operator: operator.address,
    treasury: treasuryAccount(mnemonic).address,
  });
  const chain = await connectChain(rpc, deployment);
  if (funds > 0n) {
    const gift = await chain.prepareTransfer(operator.key, payer.address, funds);
    await chain.broadcast(gift.raw);
    await chain.waitFor(gift.hash);
  }
  return chain;
}
