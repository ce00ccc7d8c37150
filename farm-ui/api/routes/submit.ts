/**
 * From files to a quote: `POST /v1/jobs/check`, uploads straight to the store while files are being read
 * (`POST /v1/blobs/missing`), `POST /v1/jobs`, uploads of what is still missing, `POST /v1/jobs/:id/prepare`.
 */
import pLimit from 'p-limit';
import { z } from 'zod';
import { FarmError } from '../../../domain/errors.ts';
import { formatFrames } from '../../../domain/frames.ts';
import type { Blob } from '../../../domain/projectFiles.ts';
import { audit } from '../../../ports/db/audit.ts';
import { announceBlobs, blobStates } from '../../../ports/db/blobs.ts';
import { createSubmission } from '../../../ports/db/jobs.ts';
import { requirePlaces } from '../../../ports/db/sites.ts';
import { isWhole } from '../../../ports/store/checkStores.ts';
import { checkBlob, checkSubmission, checkWishes } from '../checkSubmission.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { job, jobCheck, jobCreated, jobRequest, missingBlobs, missingRequest } from '../schema/api.ts';
import { answerJob, jobParams, requireJobById } from './jobs.ts';

/** 100,000 files with long names fit. */
const BODY_LIMIT = 64 * 2 ** 20;
/** Questions to the store under way for one request. */
const STATS_AT_ONCE = 16;
/** Time for a large upload over a slow line. */
const UPLOAD_SECONDS = 24 * 3_600;

export function addSubmit(api: Api, deps: ApiDeps): void {
  const { database, workflows, chain } = deps;

  api.post(
    '/v1/jobs/check',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: ['jobs'],
        summary: 'Before anything is read or sent: refuses what would be refused',
        description: 'Names, sizes and settings of a submission, without hashes. Keeps nothing.',
        body: jobCheck,
        response: { 204: z.undefined(), ...problems },
      },
    },
    async (request, reply) => {
      requireStudio(request, 'work');
      const { placement } = checkWishes(request.body);
      await database.asService((tx) => requirePlaces(tx, placement));
      return reply.code(204).send();
    },
  );

  api.post(
    '/v1/blobs/missing',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Which of these blobs the store lacks, with addresses to put them',
        description:
          'For uploads that begin before all files are read. What is put is kept for a day for the submission that will name it.',
        body: missingRequest,
        response: { 200: missingBlobs, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'work');
      const { blobs } = request.body;
      for (const blob of blobs) checkBlob(blob);
      const states = await database.withStudio(studioId, async (tx) => {
        const states = await blobStates(tx, studioId, blobs);
        const kept = blobs.filter(({ hash }) => !states.known.has(hash));
        await announceBlobs(tx, studioId, kept, UPLOAD_SECONDS);
        return states;
      });
      return { missing: await missingOf(deps, studioId, blobs, states) };
    },
  );

  api.post(
    '/v1/jobs',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: ['jobs'],
        summary: 'Submit: check what can be checked, and say which bytes the store lacks',
        body: jobRequest,
        response: { 201: jobCreated, ...problems },
      },
    },
    async (request, reply) => {
      const { studioId } = requireStudio(request, 'work');
      const checked = checkSubmission(request.body);
      const { placement } = checked;
      await database.asService((tx) => requirePlaces(tx, placement));
      const { chainId, settlement, token, tokenDecimals } = chain.deployment;
      const { jobId, states } = await database.withStudio(studioId, async (tx) => {
        const states = await blobStates(tx, studioId, checked.named);
        const { template, frames, files, blobs, main, settings, priority, name, cap, cache, awaitDelivery } = checked;
        const jobId = await createSubmission(tx, {
          studioId,
          name,
          submission: { formatVersion: 1, main, files, blobs, template, frames, cap, cache, awaitDelivery },
          settings,
          priority,
          placement,
          frames: checked.parsedFrames && formatFrames(checked.parsedFrames),
          frameCount: checked.parsedFrames?.length,
          token: { chainId, contract: settlement, token, tokenDecimals },
        });
        return { jobId, states };
      });
      return reply.code(201).send({ id: jobId, missing: await missingOf(deps, studioId, checked.named, states) });
    },
  );

  api.post(
    '/v1/jobs/:id/prepare',
    {
      schema: {
        tags: ['jobs'],
        summary: 'After the uploads: inspect, calibrate, quote. Takes some seconds',
        description:
          'A mistake in files or settings found here deletes the submission. A job that is quoted already is answered as it is; one that lacks uploads stays and may be prepared again.',
        params: jobParams,
        response: { 200: job, ...problems },
      },
    },
    async (request) => {
      const { studioId, caller } = requireStudio(request, 'work');
      const {
        id: jobId,
        status,
        name,
      } = await database.withStudio(studioId, (tx) => requireJobById(tx, request.params.id));
      if (status === 'uploading' || status === 'preparing') {
        await workflows.prepareJob({ studioId, jobId });
        // Not before: a refused submission leaves nothing behind.
        const entry = { studioId, actor: `key:${caller.keyId}`, action: 'job.submit', subject: jobId, data: { name } };
        await database.withStudio(studioId, (tx) => audit(tx, entry));
      } else if (status !== 'quoted') {
        throw new FarmError('JobStateConflict', `The job is ${status} and cannot be prepared.`, { from: status });
      }
      return answerJob(deps, studioId, jobId);
    },
  );
}

/** Addresses to put those blobs that are neither on record nor in the store already, or were lost. */
async function missingOf(
  { store }: ApiDeps,
  studioId: string,
  blobs: readonly Blob[],
  { known, announced, lost }: Awaited<ReturnType<typeof blobStates>>,
): Promise<z.infer<typeof missingBlobs>['missing']> {
  const limit = pLimit(STATS_AT_ONCE);
  const answers = blobs.map(async ({ hash, sizeBytes }) => {
    if (known.has(hash)) return [];
    // What was announced before may have arrived: an upload that goes on sends it once.
    const stored = announced.has(hash) ? await limit(() => store.stat(studioId, 'blobs', hash)) : null;
    if (lost.has(hash)) {
      const place = { studioId, kind: 'blobs', hash, siteId: null, copy: false } as const;
      if (await limit(() => isWhole(store, place))) return [];
      // A store takes no second object of a name.
      await store.remove(studioId, 'blobs', hash);
    } else if (stored?.sizeBytes === sizeBytes) return [];
    const put = { studioId, kind: 'blobs', hash, sizeBytes, expiresSeconds: UPLOAD_SECONDS } as const;
    return [{ hash, ...(await store.presignPut(put)) }];
  });
  return (await Promise.all(answers)).flat();
}
