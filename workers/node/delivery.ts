/**
 * Delivers rendered units while the next ones are being rendered: announce, put, report; one after the other, none twice. A large
 * frame is judged before the next one is sent: where processors are short, a frame that could cross its site's link waits
 * less for those behind it, and a scene that is refused is noticed before much of it was sent.
 */
import { rm, stat } from 'node:fs/promises';
import { FarmError } from '../../domain/errors.ts';
import { LARGE_FRAME_BYTES, VERDICT_MS } from '../../domain/frameHead.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { Artifact, Lease, LeaseUnit } from '../../ports/gateway/protocol.ts';
import { hashFile } from '../../ports/store/hashFile.ts';
import type { RenderedUnit } from '../../renderer/engine.ts';
import { headOf, sendAhead } from './head.ts';
import { type StoreSilence, withStorePatience } from './storePatience.ts';
import type { Tally } from './tally.ts';

export interface Delivery {
  /** Takes a unit over; returns as soon as there is room for the next. @throws what an earlier delivery failed with */
  take(unit: LeaseUnit, rendered: RenderedUnit): Promise<void>;
  /** Waits until everything is delivered. @throws what a delivery failed with */
  done(): Promise<void>;
  /** Waits until nothing is on its way any more, whatever came of it. */
  settled(): Promise<void>;
}

export interface DeliveryDeps {
  gateway: GatewayClient;
  tally: Tally;
  signal: AbortSignal;
  /** Resolves when what this node delivers for another lease has left; it goes first. Never rejects. */
  before: Promise<unknown>;
  /** Takes a line for the lease's log. */
  say: (line: string) => void;
  /** Another patience with the store than that of `storePatience.ts`, milliseconds. */
  storePatienceMs?: number | undefined;
  /** What the node's leases know of its store. */
  silence?: StoreSilence | undefined;
}

/** @param onFailure called once, with the first failure */
export function startDelivery(lease: Lease, deps: DeliveryDeps, onFailure: (error: unknown) => void): Delivery {
  /** All units that were taken: each waits for the one before, which shall be at the studio first and not share its way. */
  let taken: Promise<void> = Promise.resolve();
  const othersLeft = Promise.race([deps.before, aborted(deps.signal)]);
  let tookOne = false;
  let failure: { error: unknown } | undefined;
  const check = (): void => {
    if (failure) throw failure.error;
  };
  return {
    async take(unit, rendered) {
      check();
      const before = taken;
      // Later ones follow on a frame that crosses the site's link already.
      const mayLead = !tookOne;
      tookOne = true;
      taken = before
        .then(() => othersLeft)
        .then(() => {
          if (!failure) return deliverUnit(lease, unit, rendered, mayLead, deps);
        })
        .catch((error) => {
          failure = { error };
          onFailure(error);
        });
      // With this one alone on its way the next is rendered: more would only fill the disk of a node with a slow link.
      await before;
      check();
    },
    async done() {
      await taken;
      check();
    },
    settled: () => taken,
  };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** @param mayLead whether its first part may be sent ahead of it */
async function deliverUnit(
  lease: Lease,
  unit: LeaseUnit,
  rendered: RenderedUnit,
  mayLead: boolean,
  deps: DeliveryDeps,
): Promise<void> {
  const { gateway, tally, signal } = deps;
  const { exrPath, exrHash, previewPath, picturePath } = rendered;
  const paths = new Map<Artifact['kind'], string>([
    ['exr', exrPath],
    ['preview', previewPath],
  ]);
  if (picturePath) paths.set('picture', picturePath);
  const { size: exrBytes } = await stat(exrPath);
  const ofFile = async ([kind, path]: [Artifact['kind'], string]): Promise<Artifact> => {
    // The store checks it: a file that became another since it was written is not taken.
    if (kind === 'exr' && exrHash) return { kind, hash: exrHash, sizeBytes: exrBytes };
    return { kind, ...(await hashFile(path)) };
  };
  const [artifacts, head] = await Promise.all([
    Promise.all([...paths].map(ofFile)),
    mayLead && exrBytes >= LARGE_FRAME_BYTES ? headOf(exrPath, exrBytes) : undefined,
  ]);
  const said = { leaseNumber: lease.leaseNumber, unitId: unit.unitId, artifacts };
  const isLarge = artifacts.some(({ sizeBytes }) => sizeBytes >= LARGE_FRAME_BYTES);
  const exr = artifacts.find(({ kind }) => kind === 'exr')!;

  const send = async (): Promise<void> => {
    // Announced anew on each try: addresses expire, and what has arrived in the meantime need not be sent again.
    const { puts, head: place } = await gateway.announce(lease.chunkId, { ...said, ...(head ? { head } : {}) }, signal);
    if (head && place) await sendAhead(lease, { unitId: unit.unitId, path: exrPath, exr, head, place }, deps);
    for (const put of puts) {
      const artifact = artifacts.find(({ hash, kind }) => hash === put.hash && kind === put.kind);
      if (!artifact)
        throw new FarmError('ServiceFailed', 'The gateway answered for bytes that were not announced.', {});
      if (put.url === null) continue;
      await gateway.upload(put.url, put.headers, paths.get(artifact.kind)!, artifact.sizeBytes, signal);
    }
  };
  await withStorePatience(send, `Frame ${unit.frame}`, deps);
  await tally.record(lease.jobId, unit.unitId, BigInt(unit.price));
  const report = (): Promise<void> =>
    gateway.report(
      lease.chunkId,
      {
        ...said,
        waitMs: isLarge ? VERDICT_MS : 0,
        measurements: {
          renderSeconds: rendered.renderSeconds,
          samples: rendered.samples,
          rays: rendered.rays,
          width: rendered.width,
          height: rendered.height,
          channels: rendered.channels,
          ...rendered.maker,
        },
      },
      signal,
    );
  await withStorePatience(report, `Frame ${unit.frame}`, deps).catch((error) => {
    // An answer got lost and the unit went through in the meantime: it is delivered.
    if (!(error instanceof FarmError && error.code === 'UnitAlreadyCommitted')) throw error;
  });
  await Promise.all([...paths.values()].map((file) => rm(file, { force: true })));
}
