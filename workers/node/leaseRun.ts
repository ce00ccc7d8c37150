/** One lease from staging to its end: files in, engine on, units out, and one word to the gateway about how it went. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { FarmError, toProblem } from '../../domain/errors.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import { asDiskFull } from '../../ports/diskFull.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { FinishRequest, Lease, LeaseUnit } from '../../ports/gateway/protocol.ts';
import { retrying } from '../../ports/retry.ts';
import type { RenderEngine, RenderRequest, RenderSink, SceneFiles } from '../../renderer/engine.ts';
import type { BlobCache } from './cache.ts';
import { leaveCopies } from './copies.ts';
import { startDelivery } from './delivery.ts';
import { type Heart, LeaseStopped, startHeart } from './heart.ts';
import { startStaging } from './staging.ts';
import type { StoreSilence } from './storePatience.ts';
import type { Tally } from './tally.ts';

export interface LeaseRunDeps {
  gateway: GatewayClient;
  engine: RenderEngine;
  cache: BlobCache;
  tally: Tally;
  /** Absolute folder for the lease's own folders; they are removed at its end. */
  workFolder: string;
  threads: number;
  /** Other patience with the store than that of `storePatience.ts`, milliseconds. */
  storePatienceMs?: number | undefined;
  /** What the node's leases know of its store. */
  silence: StoreSilence;
  log: Logger;
  /** The node's lease before this one, until its end; never rejects. */
  before: Promise<unknown>;
  /** Aborts when this process shall end: the lease is handed back. */
  shutdown: AbortSignal;
  onReceiptsPending: () => void;
  /** Called when the engine is done with the lease's units: what follows is delivery, and another lease may be rendered. */
  onRendered?: () => void;
}

export type LeaseOutcome = 'completed' | 'failed' | 'stopped';

/** How long the last word may take once the work was stopped, milliseconds. */
const LAST_WORD_MS = 3_000;

/** Never throws: what goes wrong is told to the gateway and logged. */
export async function runLease(lease: Lease, deps: LeaseRunDeps): Promise<LeaseOutcome> {
  const { gateway, shutdown } = deps;
  const log = deps.log.child({ job: lease.jobId, chunk: lease.chunkId, lease: lease.leaseNumber });
  const heart = startHeart(lease, gateway, deps.onReceiptsPending);
  const onShutdown = (): void => heart.stop('shutdown');
  shutdown.addEventListener('abort', onShutdown);
  if (shutdown.aborted) onShutdown();
  const folder = join(deps.workFolder, `${lease.chunkId}-${lease.leaseNumber}`);
  const unpin = deps.cache.pin([...lease.blobs, ...lease.files].map(({ hash }) => hash));
  log.info({ kind: lease.kind, frames: lease.units.map(({ frame }) => frame) }, 'lease begins');
  try {
    const estimate = await work(lease, folder, heart, { ...deps, log });
    await heart.tell();
    await retrying(() => gateway.finish(lease.chunkId, finishing(lease, 'completed', { estimate }), heart.signal), {
      signal: heart.signal,
    });
    log.info('lease completed');
    return 'completed';
  } catch (error) {
    if (heart.signal.aborted || isLost(error)) {
      await handBack(lease, heart, deps, log);
      return 'stopped';
    }
    const problem = toProblem(asRenderProblem(asDiskFull(error, deps.workFolder)));
    log.warn({ problem, err: error }, 'lease failed');
    await heart.tell();
    await retrying(() => gateway.finish(lease.chunkId, finishing(lease, 'failed', { problem }), heart.signal), {
      signal: heart.signal,
    }).catch((failure) => log.warn({ err: failure }, 'the failure could not be told'));
    return 'failed';
  } finally {
    shutdown.removeEventListener('abort', onShutdown);
    await heart.rest();
    await unpin();
    await rm(folder, { recursive: true, force: true }).catch((error) =>
      log.warn({ err: error }, 'folder stays behind'),
    );
  }
}

async function work(
  lease: Lease,
  folder: string,
  heart: Heart,
  deps: LeaseRunDeps,
): Promise<FinishRequest['estimate']> {
  const { gateway, engine, cache, threads, log } = deps;
  const { signal } = heart;
  const { main, sequence } = lease;
  const files: SceneFiles = { root: join(folder, 'project'), main, ...(sequence === undefined ? {} : { sequence }) };
  const outputFolder = join(folder, 'frames');
  await mkdir(files.root, { recursive: true });
  await mkdir(outputFolder, { recursive: true });
  // A delivery or a staging that fails for good ends the rendering too.
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const staging = startStaging(lease, files.root, { gateway, cache, log, signal: stop });
  const copying = staging.done.then(
    async (staged) => {
      log.info(staged, 'staged');
      await leaveCopies(lease, staging.fetched, { gateway, cache, signal: stop }).catch((error) => {
        if (!stop.aborted) log.info({ err: error }, 'the site got no copies');
      });
    },
    (error) => failed.abort(error),
  );
  const settings = lease.settings as unknown as RenderSettings;
  const ready = (frame: number): Promise<void> => staging.ready(frame);
  try {
    if (lease.kind === 'estimate') {
      await staging.done;
      const { estimateFrames, jobFrameCount } = lease;
      const estimate = await engine.estimate(files, settings, estimateFrames, threads, signal, jobFrameCount);
      signal.throwIfAborted();
      return estimate;
    }
    await renderUnits(lease, { files, settings, outputFolder, threads, ready }, heart, failed, deps);
    return null;
  } finally {
    failed.abort(new Error('the lease ends'));
    await staging.settled();
    await copying;
  }
}

/** Renders all units and delivers each as soon as it is there. @param failed aborts all work on the lease, by whoever fails */
async function renderUnits(
  lease: Lease,
  options: Omit<RenderRequest, 'units'>,
  heart: Heart,
  failed: AbortController,
  { gateway, engine, tally, log, before, storePatienceMs, silence, onRendered }: LeaseRunDeps,
): Promise<void> {
  const { signal } = heart;
  const say = (line: string): void => heart.log(line);
  const delivery = startDelivery(lease, { gateway, tally, signal, before, say, storePatienceMs, silence }, (error) =>
    failed.abort(error),
  );
  const units = new Map(lease.units.map((unit) => [keyOf(unit), unit]));
  const unitOf = (place: { frame: number; tile: number }): LeaseUnit => {
    const unit = units.get(keyOf(place));
    if (!unit) throw new FarmError('RenderFailed', `The engine made frame ${place.frame}, which it was not asked for.`);
    return unit;
  };
  const sink: RenderSink = {
    async unit(rendered) {
      const unit = unitOf(rendered.unit);
      heart.progress(unit.unitId, 1);
      await delivery.take(unit, rendered);
      units.delete(keyOf(rendered.unit));
    },
    progress: (progress) => {
      const unit = units.get(keyOf(progress));
      if (unit) heart.progress(unit.unitId, progress.fraction);
    },
    log: (line) => {
      heart.log(line);
      log.debug({ line }, 'engine');
    },
  };
  const request = {
    ...options,
    units: lease.units.map(({ frame, tile, rect }) => ({ frame, tile, ...(rect ? { rect } : {}) })),
  };
  try {
    await engine.render(request, sink, AbortSignal.any([signal, failed.signal]));
    onRendered?.();
    await delivery.done();
  } catch (error) {
    // The engine only says that it was stopped; why is what counts.
    throw failed.signal.aborted ? failed.signal.reason : error;
  } finally {
    await delivery.settled();
  }
  if (units.size > 0) {
    const frames = [...units.values()].map(({ frame }) => frame).join(', ');
    throw new FarmError('RenderFailed', `The engine left out frame ${frames}.`, { frames });
  }
}

/** Says that the work was stopped, so that the chunk is free at once; when nobody listens, the lease's end says it. */
async function handBack(lease: Lease, heart: Heart, { gateway }: LeaseRunDeps, log: Logger): Promise<void> {
  const reason = heart.signal.reason instanceof LeaseStopped ? heart.signal.reason.reason : 'lease-lost';
  log.info({ reason }, 'lease stopped');
  if (reason === 'lease-lost') return;
  await gateway
    .finish(lease.chunkId, finishing(lease, 'handed-back', {}), AbortSignal.timeout(LAST_WORD_MS))
    .catch((error) => log.info({ err: error }, 'the lease could not be handed back'));
}

const finishing = (
  lease: Lease,
  outcome: FinishRequest['outcome'],
  { problem = null, estimate = null }: Partial<Pick<FinishRequest, 'problem' | 'estimate'>>,
): FinishRequest => ({ leaseNumber: lease.leaseNumber, outcome, problem, estimate });

const keyOf = ({ frame, tile }: { frame: number; tile: number }): string => `${frame}.${tile}`;

const isLost = (error: unknown): boolean => error instanceof FarmError && error.code === 'LeaseLost';

/** What is no `FarmError` came out of the engine or its libraries. */
function asRenderProblem(error: unknown): FarmError {
  if (error instanceof FarmError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FarmError(
    'RenderFailed',
    message.slice(0, 1_000) || 'The engine failed without a word.',
    {},
    { cause: error },
  );
}
