/** Steering a job. The record decides in one transaction, with an order to the workflow in the same one. */
import { z } from 'zod';
import { FarmError } from '../../../domain/errors.ts';
import { formatCmp } from '../../../domain/money/amount.ts';
import { audit } from '../../../ports/db/audit.ts';
import type { Tx } from '../../../ports/db/client.ts';
import { acceptQuote, getQuote, purgeSubmission, requireRaisable, transitionJob } from '../../../ports/db/jobs.ts';
import { enqueue } from '../../../ports/db/outbox.ts';
import { getStudio } from '../../../ports/db/studios.ts';
import type { JobRow } from '../../../ports/db/tables.ts';
import { removeUnnamed } from '../../../ports/store/removeUnnamed.ts';
import { renderWorkflowId, SIGNALS, type SignalName } from '../../../workflows/contract.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { type Right, requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { acceptRequest, job, raiseCapRequest } from '../schema/api.ts';
import { answerJob, jobParams, requireJobById } from './jobs.ts';

export function addControl(api: Api, deps: ApiDeps): void {
  const { database, chain, store } = deps;

  /** The studio's account can pay `amount` more. @throws FarmError `FundsMissing` */
  const requireFunds = async (account: string, amount: bigint): Promise<void> => {
    const balance = await chain.balanceOf(account);
    if (balance >= amount) return;
    throw new FarmError(
      'FundsMissing',
      `The studio's account holds ${formatCmp(balance, 6)} CMP; ${formatCmp(amount, 6)} are to be deposited.`,
      { account, balance: String(balance), needed: String(amount) },
    );
  };

  api.post(
    '/v1/jobs/:id/accept',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Accept the quote: the cap is deposited in escrow, rendering starts',
        params: jobParams,
        body: acceptRequest.nullish(),
        response: { 200: job, ...problems },
      },
    },
    async (request) => {
      const { studioId, caller } = requireStudio(request, 'work');
      const { found, cap, account } = await database.withStudio(studioId, async (tx) => {
        const found = await requireJobById(tx, request.params.id);
        const quote = await getQuote(tx, found.id);
        const cap = BigInt(request.body?.cap ?? found.submission.cap ?? quote?.suggestedCap ?? 0n);
        return { found, cap, account: (await getStudio(tx, studioId))?.account };
      });
      // Looked at before the transaction: the chain may be slow, and the deposit itself is what really checks.
      if (found.status === 'quoted' && account) await requireFunds(account, cap);
      await database.withStudio(studioId, async (tx) => {
        await acceptQuote(tx, { jobId: found.id, cap });
        await audit(tx, {
          studioId,
          actor: `key:${caller.keyId}`,
          action: 'quote.accept',
          subject: found.id,
          data: { cap: String(cap) },
        });
      });
      return answerJob(deps, studioId, found.id);
    },
  );

  api.post(
    '/v1/jobs/:id/decline',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Decline the quote, or give a submission up: what it brought is deleted',
        params: jobParams,
        response: { 204: z.undefined(), ...problems },
      },
    },
    async (request, reply) => {
      const { studioId, caller } = requireStudio(request, 'work');
      const hashes = await database.withStudio(studioId, async (tx) => {
        const found = await requireJobById(tx, request.params.id);
        await audit(tx, { studioId, actor: `key:${caller.keyId}`, action: 'quote.decline', subject: found.id });
        if (found.status === 'uploading' || found.status === 'preparing') return purgeSubmission(tx, found.id);
        // A quoted job has a project version, which other jobs may share: it stays on record as cancelled.
        if (found.status === 'quoted') await transitionJob(tx, { jobId: found.id, to: 'cancelled' });
        else if (found.status !== 'cancelled' || found.acceptedAt) throw notNow(found, 'declined');
        return [];
      });
      await removeUnnamed(database, store, { studioId, kind: 'blobs', siteId: null, hashes });
      return reply.code(204).send(undefined);
    },
  );

  /** A route that changes the job's row and nudges its workflow. */
  const steer = (
    verb: string,
    summary: string,
    right: Right,
    signal: SignalName,
    change: (tx: Tx, found: JobRow) => Promise<void>,
  ): void => {
    api.post(
      `/v1/jobs/:id/${verb}`,
      { schema: { tags: ['jobs'], summary, params: jobParams, response: { 200: job, ...problems } } },
      async (request) => {
        const { studioId, caller } = requireStudio(request, right);
        // Before the quote nothing runs: there is nothing to steer, only to decline.
        await database.withStudio(studioId, async (tx) => {
          const found = await requireJobById(tx, request.params.id);
          await change(tx, found);
          await audit(tx, { studioId, actor: `key:${caller.keyId}`, action: `job.${verb}`, subject: found.id });
          if (found.acceptedAt) await nudge(tx, found, signal);
        });
        return answerJob(deps, studioId, request.params.id);
      },
    );
  };

  steer('pause', 'Pause: nothing new starts, nodes hand back what they hold', 'work', 'pauseJob', async (tx, found) => {
    requireUnsettled(found, 'paused');
    await transitionJob(tx, { jobId: found.id, to: 'paused', pauseReason: 'user' });
  });

  steer('resume', 'Go on after a pause', 'work', 'resumeJob', async (tx, found) => {
    if (found.status === 'paused' && found.pauseReason === 'budget') {
      throw new FarmError('BudgetExceeded', 'The next frame does not fit below the cap.', {
        cap: String(found.cap),
        spent: String(found.spent),
      });
    }
    await transitionJob(tx, { jobId: found.id, to: 'active' });
  });

  steer(
    'cancel',
    'Cancel: what is committed stays yours and is billed, the rest is refunded',
    'work',
    'cancelJob',
    async (tx, found) => {
      if (found.status === 'quoted') await transitionJob(tx, { jobId: found.id, to: 'cancelled' });
      // Whole and paid, it only waits for its frames to be fetched: the signal ends the wait, and the job is completed.
      else if (found.status === 'active' && isSettled(found)) return;
      else await transitionJob(tx, { jobId: found.id, to: 'stopping', stopReason: 'cancel' });
    },
  );

  api.post(
    '/v1/jobs/:id/raise-cap',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Raise the cap; a job that paused for its budget goes on',
        description: 'The new cap holds, and the event money.changed says so, once the difference is in escrow.',
        params: jobParams,
        body: raiseCapRequest,
        response: { 200: job, ...problems },
      },
    },
    async (request) => {
      const { studioId, caller } = requireStudio(request, 'spend');
      const cap = BigInt(request.body.cap);
      const { found, account } = await database.withStudio(studioId, async (tx) => ({
        found: await requireJobById(tx, request.params.id),
        account: (await getStudio(tx, studioId))?.account,
      }));
      requireUnsettled(found, 'given more money');
      requireRaisable(found, cap);
      if (account) await requireFunds(account, cap - found.cap);
      await database.withStudio(studioId, async (tx) => {
        // The record follows the money: the workflow raises the cap when the difference is in escrow.
        await nudge(tx, found, 'capRaised', String(cap));
        await audit(tx, {
          studioId,
          actor: `key:${caller.keyId}`,
          action: 'cap.raise',
          subject: found.id,
          data: { from: String(found.cap), to: String(cap) },
        });
      });
      return answerJob(deps, studioId, found.id);
    },
  );
}

/** Puts a signal to the job's workflow into the outbox. */
export async function nudge(
  tx: Tx,
  { studioId, id }: Pick<JobRow, 'studioId' | 'id'>,
  signal: SignalName,
  ...args: string[]
): Promise<void> {
  const payload = { workflowId: renderWorkflowId(id), signal: SIGNALS[signal], args };
  await enqueue(tx, { studioId, topic: 'signal-workflow', payload });
}

const isSettled = ({ stageSeconds }: JobRow): boolean => stageSeconds.settle !== undefined;

/** @throws FarmError `JobStateConflict` for a job that is paid and only waits for its frames to be fetched */
function requireUnsettled(found: JobRow, what: string): void {
  if (found.status !== 'active' || !isSettled(found)) return;
  const why = `The job is settled and only waits for its frames to be fetched: it cannot be ${what}.`;
  throw new FarmError('JobStateConflict', why, { from: found.status });
}

const notNow = ({ status }: JobRow, what: string): FarmError =>
  new FarmError('JobStateConflict', `A job that is ${status} cannot be ${what}.`, { from: status });
