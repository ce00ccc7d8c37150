/**
 * The keeper of a chunk: looks at its row, does what is due, and says whether to wait. All state is in the record, so a
 * keeper that was killed anywhere is followed by one that goes on.
 */
import { FarmError, fromProblem, isErrorCode, type Problem, toProblem } from '../../domain/errors.ts';
import { chunkGivenUp, isBadInput, judgeRefusals, type Policy, tooManyFailures } from '../../domain/policy.ts';
import type { ChunkStatus } from '../../domain/statuses.ts';
import { attemptsOfChunk } from '../../ports/db/attempts.ts';
import {
  type ChunkGlance,
  chunkState,
  failChunk,
  glanceAtChunk,
  loseLease,
  offerChunk,
} from '../../ports/db/chunks.ts';
import type { Tx } from '../../ports/db/client.ts';
import { lockChunk } from '../../ports/db/locks.ts';
import { type FarmServices, inRecord } from '../services.ts';
import type { VerifyDesk } from './verifyDesk.ts';

/** How a chunk's activity ends. Payloads stay small: the frames are in the record. */
export type ChunkOutcome =
  | { outcome: 'completed'; verifySeconds: number }
  /** `stopJob`: the whole job shall not go on. */
  | { outcome: 'failed'; problem: Problem; stopJob: boolean }
  /** The studio paused the job; nothing of the chunk is with a node. Start it again after the resume. */
  | { outcome: 'paused' }
  /** The job was cancelled or stopped. */
  | { outcome: 'stopped' };

/** What a keeper found and did. */
export interface KeeperStep {
  /** Null: wait for the bell. */
  outcome: Exclude<ChunkOutcome, { outcome: 'completed' }> | { outcome: 'completed' } | null;
  /** The lease that this step took back from a silent node. */
  lost: { node: string | null; leaseNumber: number } | null;
}

/**
 * One look at a render chunk. Delivered frames go to the desk, which verifies and commits them beside this. Throws
 * `FarmError`s of database and store; then the step is simply repeated.
 */
export async function keepRenderChunk(
  services: FarmServices,
  desk: VerifyDesk,
  chunkId: string,
  policy: Policy,
): Promise<KeeperStep> {
  const glance = await services.database.singly((statements) => glanceAtChunk(statements, chunkId));
  desk.take(glance);
  const step: KeeperStep = { outcome: null, lost: null };
  const ended = endOf(glance);
  if (ended) return { ...step, outcome: ended };

  const { expired, leaseNumber, nodeId } = glance;
  if (expired) {
    const reason = 'The node stopped sending heartbeats.';
    const lost = await inRecord(services, (tx) => loseLease(tx, { chunkId, leaseNumber, reason }));
    if (lost) step.lost = { node: nodeId, leaseNumber };
  }
  // Most looks: frames come in from a lease that goes well.
  if (!expired && isUnderWay(glance)) return step;
  const next = await inRecord(services, (tx) => offerUnlessGivenUp(tx, chunkId, policy, expired ? undefined : glance));
  if (next.problem) return { ...step, outcome: await giveUp(services, chunkId, next.problem, policy) };
  return next.status === 'completed' ? { ...step, outcome: { outcome: 'completed' } } : step;
}

/**
 * On offer or with a node, or with all its frames delivered, and nothing about it has ever gone wrong: there is nothing to
 * offer, or to give up.
 */
const isUnderWay = ({ status, open, troubled }: ChunkGlance): boolean =>
  !troubled && (status === 'offered' || status === 'leased' || (status === 'planned' && open === 0));

/** The outcome when there is nothing left to do for the chunk, or nothing may be done now. */
function endOf({ status, jobStatus, pauseReason, delivered }: ChunkGlance): KeeperStep['outcome'] {
  if (status === 'completed') return { outcome: 'completed' };
  if (status === 'cancelled' || (jobStatus !== 'active' && jobStatus !== 'paused')) return { outcome: 'stopped' };
  // Budget pauses end by themselves when money comes back, so their chunks stay on offer.
  const idle = status !== 'leased' && delivered.length === 0;
  if (jobStatus === 'paused' && pauseReason === 'user' && idle) return { outcome: 'paused' };
  return null;
}

/**
 * Offers a chunk (of either kind) unless it shall not be tried again, under its lock: an attempt that fails meanwhile must
 * not be followed by another one before it was judged. A failed attempt leaves the chunk `failed`; offered again, it goes
 * to another node while one fits.
 * @param glance the keeper's just before; a chunk that had no trouble then, and has had no lease since, needs no judging
 */
export async function offerUnlessGivenUp(
  tx: Tx,
  chunkId: string,
  policy: Policy,
  glance?: ChunkGlance,
): Promise<{ status: ChunkStatus; problem: Problem | null }> {
  const chunk = await lockChunk(tx, chunkId);
  const { status, leaseNumber } = chunk;
  const isNew = status === 'planned' && glance?.troubled === false && glance.leaseNumber === leaseNumber;
  const problem = isNew ? null : await whyGivenUp(tx, chunkId, policy);
  return problem ? { status, problem } : { status: await offerChunk(tx, chunk), problem: null };
}

/** The problem for which a chunk shall not be tried again, or null. */
async function whyGivenUp(tx: Tx, chunkId: string, policy: Policy): Promise<Problem | null> {
  const { units, attempts, status } = await chunkState(tx, chunkId);
  if (status === 'completed') return null;
  for (const { frame, refusals } of units) {
    const newest = refusals.at(-1);
    const judgement = judgeRefusals(refusals, policy);
    if (!newest || judgement === 'again') continue;
    const code = judgement === 'scene-fault' ? 'SceneInvalid' : 'FrameRefused';
    const often = judgement === 'scene-fault' ? 'on several nodes' : `${refusals.length} times`;
    return toProblem(new FarmError(code, `Frame ${frame} was refused ${often}: ${newest.message}`, { frame }));
  }
  const bad = (await attemptsOfChunk(tx, chunkId)).filter(({ outcome }) => outcome === 'failed').at(-1);
  const verdict = chunkGivenUp(attempts, bad?.problem?.code ?? null, policy);
  if (verdict === null) return null;
  if (verdict === 'lost') {
    return toProblem(new FarmError('HeartbeatLost', `${attempts.lost} nodes fell silent with this chunk.`));
  }
  return problemOf(bad?.problem ?? null, `${attempts.failed} attempts failed.`);
}

/** Fails the chunk for good, and says whether the job goes on without it. */
async function giveUp(
  services: FarmServices,
  chunkId: string,
  problem: Problem,
  policy: Policy,
): Promise<Extract<ChunkOutcome, { outcome: 'failed' }>> {
  const { total, failures } = await inRecord(services, async (tx) => {
    const { studioId, jobId, status, units } = await chunkState(tx, chunkId);
    const open = units.some((unit) => unit.status !== 'committed' && unit.status !== 'failed');
    if (status !== 'failed' || open) await failChunk(tx, { chunkId, problem });
    return tx
      .selectFrom('chunks')
      .select((chunk) => [
        chunk.fn.countAll<number>().as('total'),
        chunk.fn.countAll<number>().filterWhere('status', '=', 'failed').as('failures'),
      ])
      .where('studioId', '=', studioId)
      .where('jobId', '=', jobId)
      .where('kind', '=', 'render')
      .executeTakeFirstOrThrow();
  });
  return { outcome: 'failed', problem, stopJob: isBadInput(problem.code) || tooManyFailures(failures, total, policy) };
}

/** A kept problem with all its fields; a code that the catalogue lacks (an old node's) becomes `RenderFailed`. */
function problemOf(
  kept: { code: string; message: string; place: Problem['place'] } | null,
  otherwise: string,
): Problem {
  if (!kept) return toProblem(new FarmError('RenderFailed', otherwise));
  const code = isErrorCode(kept.code) ? kept.code : 'RenderFailed';
  return toProblem(fromProblem({ code, message: kept.message, place: kept.place ?? {} }));
}
