/** From files to a quote: `POST /v1/jobs`, uploads straight to the store, `POST /v1/jobs/:id/prepare`. */
import { FarmError } from '../../../domain/errors.ts';
import { formatFrames, parseFrames } from '../../../domain/frames.ts';
import { checkProjectPaths } from '../../../domain/paths.ts';
import { checkRequestedSettings, type RequestedSettings } from '../../../domain/settings.ts';
import { DEFAULT_TEMPLATE, parseTemplate } from '../../../domain/template.ts';
import { audit } from '../../../ports/db/audit.ts';
import { knownBlobs } from '../../../ports/db/blobs.ts';
import type { StoredFile } from '../../../ports/db/documents.ts';
import { createSubmission } from '../../../ports/db/jobs.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { type JobRequest, job, jobCreated, jobRequest } from '../schema/api.ts';
import { answerJob, jobParams, requireJobById } from './jobs.ts';

/** 100,000 files with long names fit. */
const BODY_LIMIT = 64 * 2 ** 20;
/** S3 takes no larger object in one PUT. */
const LARGEST_FILE_BYTES = 5 * 2 ** 30;
/** Time for a large upload over a slow line. */
const UPLOAD_SECONDS = 24 * 3_600;

export function addSubmit(api: Api, deps: ApiDeps): void {
  const { database, store, workflows, chain } = deps;

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
      const { chainId, settlement, token, tokenDecimals } = chain.deployment;
      const { jobId, known } = await database.withStudio(studioId, async (tx) => {
        const known = await knownBlobs(tx, studioId, [...checked.blobs.keys()]);
        const { template, frames, files, main, settings, priority, name, cap } = checked;
        const jobId = await createSubmission(tx, {
          studioId,
          name,
          submission: { formatVersion: 1, main, files, template, frames, cap },
          settings,
          priority,
          frames: checked.parsedFrames && formatFrames(checked.parsedFrames),
          frameCount: checked.parsedFrames?.length,
          token: { chainId, contract: settlement, token, tokenDecimals },
        });
        return { jobId, known };
      });
      const missing = [];
      for (const [hash, sizeBytes] of checked.blobs) {
        if (known.has(hash)) continue;
        const put = await store.presignPut({
          studioId,
          kind: 'blobs',
          hash,
          sizeBytes,
          expiresSeconds: UPLOAD_SECONDS,
        });
        missing.push({ hash, ...put });
      }
      return reply.code(201).send({ id: jobId, missing });
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

interface CheckedSubmission {
  name: string;
  main: string;
  files: StoredFile[];
  /** Size by hash, each once. */
  blobs: Map<string, number>;
  template: string;
  /** As typed. */
  frames: string | undefined;
  parsedFrames: readonly number[] | undefined;
  /** Only what was asked for; the rest comes from the scene. */
  settings: RequestedSettings;
  priority: number | undefined;
  cap: string | undefined;
}

/** All that can be known to be wrong before a byte is sent. @throws FarmError with the code of the mistake */
function checkSubmission(request: JobRequest): CheckedSubmission {
  const paths = checkProjectPaths(request.files.map(({ path }) => path));
  const files = request.files.map(({ sizeBytes, hash }, index) => ({ path: paths[index]!, sizeBytes, hash }));
  const main = request.main.normalize('NFC');
  const scene = files.find(({ path }) => path === main);
  if (!scene) throw new FarmError('FileNotFound', `"${main}" is not among the files.`, { path: main });
  if (scene.sizeBytes === 0) throw new FarmError('FileEmpty', `"${main}" is empty.`, { path: main });
  if (!/\.(gltf|glb)$/i.test(main)) {
    throw new FarmError('SceneUnsupported', `"${main}" is neither .glb nor .gltf.`, { path: main });
  }
  const blobs = new Map<string, number>();
  for (const { path, hash, sizeBytes } of files) {
    if (sizeBytes > LARGEST_FILE_BYTES) {
      throw new FarmError('SceneTooLarge', `"${path}" is larger than ${LARGEST_FILE_BYTES} bytes.`, {
        path,
        sizeBytes,
      });
    }
    const known = blobs.get(hash);
    if (known !== undefined && known !== sizeBytes) {
      throw new FarmError('RequestInvalid', `"${path}" shares its hash with a file of another size.`, { path });
    }
    blobs.set(hash, sizeBytes);
  }
  const { name, main: _, files: __, template: asked, priority, cap, frames, ...settings } = request;
  checkRequestedSettings({ ...settings, frames });
  const template = asked ?? DEFAULT_TEMPLATE;
  parseTemplate(template);
  if (cap === '0') throw new FarmError('CapTooSmall', 'A cap of 0 pays for nothing.', { field: 'cap' });
  return {
    name,
    main,
    files,
    blobs,
    template,
    frames,
    parsedFrames: frames === undefined ? undefined : parseFrames(frames),
    settings,
    priority,
    cap,
  };
}
