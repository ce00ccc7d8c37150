/** A node asks for work and waits for it: woken by what is offered, not by looking again and again. */

import { type ClaimedLease, claimChunk, outlook } from '../../../ports/db/claim.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { ClaimRequest, Lease } from '../../../ports/gateway/protocol.ts';
import { handBack } from './handBack.ts';
import type { GatewayDeps } from './plugin.ts';

export interface ClaimAnswer {
  lease: Lease | null;
  receiptsPending: boolean;
}

/** A wake-up can be lost with a database connection: as long as nothing is heard, look again after this time. */
const LOOK_AGAIN_MS = 5_000;
/** All that wait hear of an offer at once; a moment's scatter lets the first take it before the last one asks. */
const SCATTER_MS = 20;

/** @param gone aborts when the node hangs up: nothing may be leased to nobody */
export async function claim(
  deps: GatewayDeps,
  node: NodeRow,
  request: ClaimRequest,
  gone: AbortSignal,
): Promise<ClaimAnswer> {
  const { database, gateway, hub } = deps;
  const until = performance.now() + Math.min(request.waitMs, gateway.claimWaitMs);
  const bell = createBell();
  const stopOffers = hub.onOffer(bell.ring);
  const stopReceipts = hub.onReceipt((nodeId) => {
    if (nodeId === null || nodeId === node.id) bell.ring();
  });
  gone.addEventListener('abort', bell.ring);
  try {
    for (;;) {
      bell.reset();
      if (gone.aborted) return { lease: null, receiptsPending: false };
      const now = await database.singly((statements) => outlook(statements, node.id));
      const receiptsPending = now?.receiptsPending ?? false;
      const isWorth = now?.isOffered && now.node.status === 'online';
      const found = isWorth ? await database.asService((tx) => nextChunk(tx, now.node)) : null;
      if (found && gone.aborted) {
        // Hung up while the chunk was being leased: else it would wait for the end of a lease that nobody knows of.
        await handBack(database, { chunkId: found.chunkId, nodeId: node.id, leaseNumber: found.leaseNumber });
        return { lease: null, receiptsPending };
      }
      if (found) return { lease: leaseOf(found, gateway.heartbeatMs), receiptsPending };
      const leftMs = until - performance.now();
      if (receiptsPending || leftMs <= 0) return { lease: null, receiptsPending };
      await bell.rung(Math.min(leftMs, LOOK_AGAIN_MS));
      if (!gone.aborted) await new Promise((resolve) => setTimeout(resolve, Math.random() * SCATTER_MS));
    }
  } finally {
    stopOffers();
    stopReceipts();
    gone.removeEventListener('abort', bell.ring);
  }

  /** The best chunk; a job whose budget ran out on the way was paused and is passed over. */
  async function nextChunk(tx: Parameters<typeof claimChunk>[0], current: NodeRow): Promise<ClaimedLease | null> {
    for (;;) {
      const result = await claimChunk(tx, {
        node: current,
        cachedHashes: request.cachedHashes,
        leaseMs: gateway.leaseMs,
      });
      if (result === null || 'chunkId' in result) return result;
    }
  }
}

/** What of a lease a node may know: no studio, no name. */
function leaseOf(claimed: ClaimedLease, heartbeatMs: number): Lease {
  const { chunkId, jobId, leaseNumber, kind, leaseMs, main, settings, units, estimateFrames } = claimed;
  const { sequence, files, sharedFiles, blobs } = claimed;
  return {
    ...{ chunkId, jobId, leaseNumber, kind, leaseMs, heartbeatMs, main, estimateFrames },
    ...{ sequence, files, sharedFiles, blobs },
    ...(kind === 'estimate' && claimed.jobFrameCount !== null ? { jobFrameCount: claimed.jobFrameCount } : {}),
    settings: { ...settings },
    units: units.map((unit) => ({ ...unit, price: String(unit.price) })),
  };
}

interface Bell {
  ring(): void;
  reset(): void;
  /** Resolves when it rang since the last reset, or after `ms`. */
  rung(ms: number): Promise<void>;
}

function createBell(): Bell {
  let hasRung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      hasRung = true;
      wake?.();
    },
    reset() {
      hasRung = false;
    },
    rung: (ms) =>
      new Promise((resolve) => {
        if (hasRung) return resolve();
        const timer = setTimeout(() => wake?.(), ms);
        wake = () => {
          wake = undefined;
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
