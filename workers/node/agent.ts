/** The node agent: joins, then claims, renders and signs until it is told to end. It speaks to the gateway alone. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Wallet } from 'ethers';
import type { Logger } from 'pino';
import { FarmError } from '../../domain/errors.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import { GATEWAY_VERSION, type JoinAnswer, type Lease } from '../../ports/gateway/protocol.ts';
import { pause, retrying } from '../../ports/retry.ts';
import type { RenderEngine } from '../../renderer/engine.ts';
import { BlobCache } from './cache.ts';
import { signJoin } from './identity.ts';
import { machineLabels, type NodeTier } from './labels.ts';
import { type LeaseOutcome, runLease } from './leaseRun.ts';
import { signPendingReceipts } from './receipts.ts';
import { StoreSilence } from './storePatience.ts';
import { Tally } from './tally.ts';

export interface AgentOptions {
  gateway: GatewayClient;
  engine: RenderEngine;
  identity: Wallet;
  name: string;
  site: string;
  joinToken: string;
  /** Absolute folder for cache, tally and work. Another process with the same folder must not run. */
  home: string;
  /** Threads that rendering may use. */
  threads: number;
  /** What the machine's owner lets it trace on; all that it has when left out. */
  tier?: NodeTier;
  /** Absolute folder of the cache of project data; nodes of a host may share it. Default: below `home`. */
  cacheFolder?: string | undefined;
  /** Bound of the cache; where nodes share one, they should agree on it. */
  cacheBytes: number;
  /** Other patience with a full store than that of `delivery.ts`, milliseconds. */
  storePatienceMs?: number | undefined;
  log: Logger;
}

/** A node's tally of a job is kept this long after its last change: longer than any escrow lives. */
const TALLY_DAYS = 90;
/** Wait after a lease that failed or a refusal, so that a node that cannot work does not spin. */
const BREATH_MS = 1_000;

/**
 * Runs until `shutdown` aborts; hands a running lease back, says goodbye, and returns.
 * @throws FarmError when the farm will never take this node as it is (wrong join token, name of another node, …)
 */
export async function runAgent(options: AgentOptions, shutdown: AbortSignal): Promise<void> {
  const { gateway, engine, home, threads, log } = options;
  const workFolder = join(home, 'work');
  // What a killed process left half done is of no use: its lease is gone.
  await rm(workFolder, { recursive: true, force: true });
  await mkdir(workFolder, { recursive: true });
  const cache = await BlobCache.open(options.cacheFolder ?? join(home, 'cache'), options.cacheBytes);
  const tally = new Tally(join(home, 'tally'));
  const silence = new StoreSilence();
  await tally.prune(new Date(Date.now() - TALLY_DAYS * 86_400_000));

  let signing: Promise<number> | undefined;
  /** One round of signing at a time; a failed one is tried again at the next word of pending receipts. */
  const signReceipts = (): void => {
    signing ??= signPendingReceipts({ gateway, identity: options.identity, tally, log, signal: shutdown })
      .catch((error) => {
        if (!shutdown.aborted) log.warn({ err: error }, 'receipts were not signed');
        return 0;
      })
      .finally(() => {
        signing = undefined;
      });
  };

  /** The lease before the one that is being rendered, until all its frames are delivered. */
  let delivering: Promise<unknown> = Promise.resolve();
  /** The newest lease, until its end. */
  let newest: Promise<unknown> = Promise.resolve();
  const begin = (lease: Lease): { rendered: Promise<void>; ended: Promise<LeaseOutcome> } => {
    let onRendered = (): void => undefined;
    const rendered = new Promise<void>((resolve) => {
      onRendered = resolve;
    });
    const { storePatienceMs } = options;
    const services = { gateway, engine, cache, tally, workFolder, threads, storePatienceMs, silence, log, shutdown };
    const before = newest;
    const ended = runLease(lease, { ...services, before, onRendered, onReceiptsPending: signReceipts });
    newest = ended;
    return { rendered, ended };
  };

  try {
    let joined = await joinFarm(options, shutdown);
    while (!shutdown.aborted) {
      try {
        const claim = await gateway.claim(
          { version: GATEWAY_VERSION, cachedHashes: cache.hashes(1_000), waitMs: joined.claimWaitMs },
          shutdown,
        );
        if (claim.receiptsPending) signReceipts();
        if (!claim.lease) {
          // Pending receipts end the long poll early; the next one shall not come back at once for the same.
          if (signing && (await signing) === 0) await pause(BREATH_MS, shutdown);
          continue;
        }
        const { rendered, ended } = begin(claim.lease);
        if ((await Promise.race([rendered, ended])) === 'failed') await pause(BREATH_MS, shutdown);
        // The next lease is rendered while the last frames of this one leave; more than that would only pile up.
        await delivering;
        delivering = ended;
      } catch (error) {
        if (shutdown.aborted) break;
        if (isUnknownNode(error)) {
          log.info('the farm does not know this node any more: joining again');
          joined = await joinFarm(options, shutdown);
          continue;
        }
        log.warn({ err: error }, 'no lease could be claimed');
        await pause(BREATH_MS * (0.5 + Math.random()), shutdown);
      }
    }
  } catch (error) {
    if (!shutdown.aborted) throw error;
  }
  await delivering;
  await signing;
  await gateway.leave(AbortSignal.timeout(2_000)).catch(() => log.info('the gateway did not hear the goodbye'));
  log.info('left');
}

async function joinFarm(options: AgentOptions, shutdown: AbortSignal): Promise<JoinAnswer> {
  const { gateway, engine, identity, name, site, joinToken, threads, log } = options;
  const probe = await engine.probe(threads);
  const answer = await retrying(
    async () => {
      const issuedAt = new Date().toISOString();
      const signature = await signJoin(identity, name, issuedAt);
      return gateway.join(
        {
          version: GATEWAY_VERSION,
          joinToken,
          name,
          site,
          account: identity.address,
          signature,
          issuedAt,
          probe,
          labels: machineLabels(threads, probe.tier, options.tier),
        },
        shutdown,
      );
    },
    {
      signal: shutdown,
      onRetry: (error, waitMs) => log.info({ err: error, waitMs }, 'the farm is not there yet'),
    },
  );
  log.info({ nodeId: answer.nodeId, account: identity.address, probe }, 'joined');
  return answer;
}

const isUnknownNode = (error: unknown): boolean =>
  error instanceof FarmError && (error.code === 'NodeNotRegistered' || error.code === 'Unauthenticated');
