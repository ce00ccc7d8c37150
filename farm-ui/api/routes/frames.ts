/** A job's frames and outputs: lists, and addresses in the store that live for a while. */
import { z } from 'zod';
import { FarmError } from '../../../domain/errors.ts';
import { PICTURE_EXTENSIONS, type PictureFormat } from '../../../domain/scene.ts';
import { completeSettings } from '../../../domain/settings.ts';
import type { Tx } from '../../../ports/db/client.ts';
import type { OutputFile, UnitArtifact } from '../../../ports/db/documents.ts';
import {
  type CopiedFrameRow,
  committedUnits,
  type FrameRow,
  framesPage,
  getFrame,
  type NamedJob,
} from '../../../ports/db/queries/frames.ts';
import { namesOfSites } from '../../../ports/db/sites.ts';
import {
  NARROWEST_PICTURE,
  signFrameAddress,
  signPictureAddress,
  WIDEST_PICTURE,
} from '../../../ports/site/frameTicket.ts';
import type { ObjectKind } from '../../../ports/store/objectStore.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import {
  frame,
  frameAddressesPage,
  frameAddressesRequest,
  framePage,
  frameUrls,
  outputs,
  projectFiles,
} from '../schema/api.ts';
import { deliveredFile, frameName, frameView, namingOf } from '../views/frames.ts';
import { isUuid, jobParams, requireJobById, requireNamedJob } from './jobs.ts';

const unitParams = z.object({ id: z.string(), unitId: z.string() });
const previewQuery = z.object({
  /** Pixels. */
  width: z.coerce.number().int().min(NARROWEST_PICTURE).max(WIDEST_PICTURE).optional(),
});
/** Addresses live this long; a browser may keep a redirect for part of it. */
const ADDRESS_SECONDS = 3_600;
const REDIRECT_SECONDS = 1_800;

const EXR = { ext: 'exr', contentType: 'image/x-exr' };
const pictureType = (format: PictureFormat) => ({
  ext: PICTURE_EXTENSIONS[format],
  contentType: `image/${format}`,
});
const FRAME_FILES = {
  exr: 'Redirect to the picture (OpenEXR)',
  preview: 'Redirect to the preview beside it (PNG; with a width, a WebP no wider where its site has an agent)',
  picture: 'Redirect to the picture in the format that the job chose',
} as const;

interface NamedFile {
  /** Site whose store holds it; null: home. */
  siteId: string | null;
  kind: ObjectKind;
  hash: string;
  sizeBytes: number;
  name: string;
  contentType: string;
}

export function addFrames(api: Api, { database, store, stores, clock }: ApiDeps): void {
  const addressOf = async (studioId: string, file: NamedFile, disposition: 'inline' | 'attachment' = 'inline') =>
    (await stores.of(file.siteId)).store.presignGet({
      studioId,
      kind: file.kind,
      hash: file.hash,
      expiresSeconds: ADDRESS_SECONDS,
      fileName: file.name.split('/').at(-1)!,
      contentType: file.contentType,
      disposition,
    });
  const expiresAt = () => new Date(clock.now().getTime() + ADDRESS_SECONDS * 1000);
  /** Null where nobody makes it smaller. */
  const pictureAddress = async (studioId: string, { siteId, hash }: NamedFile, width: number) => {
    const { agent } = await stores.of(siteId);
    return agent && signPictureAddress(agent, { studioId, hash, width }, expiresAt());
  };
  const download = async (studioId: string, file: NamedFile | null) =>
    file && {
      url: await addressOf(studioId, file, 'attachment'),
      hash: file.hash,
      sizeBytes: file.sizeBytes,
      name: file.name,
    };

  api.get(
    '/v1/jobs/:id/frames',
    {
      schema: {
        tags: ['frames'],
        summary: "A job's frames in order",
        params: jobParams,
        querystring: z.object({
          cursor: z.string().max(500).optional(),
          limit: z.coerce.number().int().min(1).max(1_000).default(200),
          status: frame.shape.status.optional(),
        }),
        response: { 200: framePage, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'read');
      return database.withStudio(studioId, async (tx) => {
        const job = await requireNamedJob(tx, request.params.id);
        const { items, nextCursor } = await framesPage(tx, { jobId: job.id, ...request.query });
        const naming = namingOf(job);
        return { items: items.map((unit) => frameView(unit, naming)), nextCursor };
      });
    },
  );

  api.get(
    '/v1/jobs/:id/frames/:unitId/urls',
    {
      schema: {
        tags: ['frames'],
        summary: 'Addresses of a committed frame, for an hour',
        params: unitParams,
        response: { 200: frameUrls, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'read');
      const { exr, preview, picture } = await database.withStudio(studioId, (tx) => filesOfUnit(tx, request.params));
      return {
        exr: await download(studioId, exr),
        preview: await download(studioId, preview),
        picture: await download(studioId, picture),
      };
    },
  );

  api.post(
    '/v1/jobs/:id/frames/urls',
    {
      schema: {
        tags: ['frames'],
        summary: 'Addresses of many committed frames, for an hour; those that are not committed are left out',
        params: jobParams,
        body: frameAddressesRequest,
        response: { 200: frameAddressesPage, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'read');
      const units = await database.withStudio(studioId, async (tx) => {
        const job = await requireNamedJob(tx, request.params.id);
        const rows = await committedUnits(tx, { jobId: job.id, unitIds: request.body.unitIds });
        const named = namedFiles(job);
        return rows.map((row) => ({ row, ...filesOf(row, named) }));
      });
      const addressed = async (file: NamedFile | null, { copies }: CopiedFrameRow) => {
        const answer = await download(studioId, file);
        if (!file || !answer) return null;
        const elsewhere = copies.filter(({ hash, siteId }) => hash === file.hash && siteId !== file.siteId);
        const mirrors = elsewhere.map(({ siteId }) => addressOf(studioId, { ...file, siteId }, 'attachment'));
        const { agent } = await stores.of(file.siteId);
        const transit = agent && signFrameAddress(agent, { studioId, hash: file.hash }, expiresAt());
        return { ...answer, mirrors: await Promise.all(mirrors), transit };
      };
      const items = units.map(async ({ row, exr, preview, picture }) => ({
        unitId: row.id,
        siteId: row.siteId,
        exr: await addressed(exr, row),
        preview: await addressed(preview, row),
        picture: await addressed(picture, row),
      }));
      return { items: await Promise.all(items) };
    },
  );

  for (const kind of ['exr', 'preview', 'picture'] as const) {
    api.get(
      `/v1/jobs/:id/frames/:unitId/${kind}`,
      {
        schema: {
          tags: ['frames'],
          summary: FRAME_FILES[kind],
          params: unitParams,
          ...(kind === 'preview' ? { querystring: previewQuery } : {}),
          response: { 302: z.undefined(), ...problems },
        },
      },
      async (request, reply) => {
        const { studioId } = requireStudio(request, 'read');
        const files = await database.withStudio(studioId, (tx) => filesOfUnit(tx, request.params));
        const file = files[kind];
        if (!file && kind === 'picture' && files.preview) {
          throw new FarmError('NotFound', 'The job has no pictures but its PNG previews.', {
            unit: request.params.unitId,
          });
        }
        if (!file) throw new FarmError('NotFound', 'The frame is not committed yet.', { unit: request.params.unitId });
        reply.header('cache-control', `private, max-age=${REDIRECT_SECONDS}`);
        // The others are had as they are: they know no query, and theirs is not read.
        const { width } = kind === 'preview' ? (request.query as z.infer<typeof previewQuery>) : {};
        const small = width === undefined ? null : await pictureAddress(studioId, file, width);
        return reply.redirect(small ?? (await addressOf(studioId, file)), 302);
      },
    );
  }

  api.get(
    '/v1/jobs/:id/files',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The files that a job renders from, with addresses for an hour',
        params: jobParams,
        querystring: z.object({
          cursor: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(1_000).default(200),
        }),
        response: { 200: projectFiles, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'work');
      const { cursor, limit } = request.query;
      const { submission } = await database.withStudio(studioId, (tx) => requireJobById(tx, request.params.id));
      const files = submission.files.slice(cursor, cursor + limit);
      const address = (hash: string, fileName: string) =>
        store.presignGet({
          ...{ studioId, hash, fileName, kind: 'blobs', expiresSeconds: ADDRESS_SECONDS, disposition: 'attachment' },
        });
      const items = await Promise.all(
        files.map(async (file) => {
          const url = file.parts ? null : await address(file.hash, file.path.split('/').at(-1)!);
          return { ...file, url };
        }),
      );
      const shared = new Set(files.flatMap(({ parts = [] }) => parts.map(({ blob }) => blob)));
      const blobs = Object.fromEntries(
        await Promise.all([...shared].map(async (hash) => [hash, await address(hash, hash)] as const)),
      );
      const next = cursor + limit;
      const nextCursor = next < submission.files.length ? String(next) : null;
      return { main: submission.main, items, blobs, nextCursor };
    },
  );

  api.get(
    '/v1/jobs/:id/outputs',
    {
      schema: {
        tags: ['frames'],
        summary: 'Addresses of manifest, film and contact sheet, for an hour',
        params: jobParams,
        response: { 200: outputs, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'read');
      const { made, away } = await database.withStudio(studioId, async (tx) => {
        const job = await requireJobById(tx, request.params.id);
        return { made: job.outputs, away: await namesOfSites(tx, job.awaySites, { removed: false }) };
      });
      const file = (output: OutputFile | undefined) =>
        download(studioId, output ? { siteId: null, kind: 'outputs', ...output } : null);
      return {
        manifest: await file(made?.manifest),
        film: await file(made?.film),
        contactSheet: await file(made?.contactSheet),
        away,
      };
    },
  );

  for (const [path, key] of [
    ['film', 'film'],
    ['contact-sheet', 'contactSheet'],
    ['manifest', 'manifest'],
  ] as const) {
    api.get(
      `/v1/jobs/:id/outputs/${path}`,
      {
        schema: {
          tags: ['frames'],
          summary: `Redirect to the ${path.replace('-', ' ')}; byte ranges work there`,
          params: jobParams,
          response: { 302: z.undefined(), ...problems },
        },
      },
      async (request, reply) => {
        const { studioId } = requireStudio(request, 'read');
        const job = await database.withStudio(studioId, (tx) => requireJobById(tx, request.params.id));
        const output = job.outputs?.[key];
        if (!output) throw new FarmError('NotFound', `The job has no ${path.replace('-', ' ')} yet.`, { job: job.id });
        reply.header('cache-control', 'private, no-cache');
        return reply.redirect(await addressOf(studioId, { siteId: null, kind: 'outputs', ...output }), 302);
      },
    );
  }
}

/** Committed files of a unit of the job, under their names. @throws FarmError `JobNotFound`, `NotFound` */
async function filesOfUnit(
  tx: Tx,
  { id, unitId }: { id: string; unitId: string },
): Promise<Record<UnitArtifact['kind'], NamedFile | null>> {
  const job = await requireNamedJob(tx, id);
  const unit = isUuid(unitId) ? await getFrame(tx, unitId) : null;
  if (!unit || unit.jobId !== job.id) throw new FarmError('NotFound', 'The job has no such frame.', { unit: unitId });
  return filesOf(unit, namedFiles(job));
}

const filesOf = <Row>(row: Row, named: (row: Row, kind: UnitArtifact['kind']) => NamedFile | null) => ({
  exr: named(row, 'exr'),
  preview: named(row, 'preview'),
  picture: named(row, 'picture'),
});

/** Names the committed files of a job's units. */
function namedFiles(job: NamedJob): (row: FrameRow, kind: UnitArtifact['kind']) => NamedFile | null {
  const naming = namingOf(job);
  const types = {
    exr: EXR,
    preview: pictureType('png'),
    picture: pictureType(completeSettings(job.settings).output.picture),
  };
  return (row, kind) => {
    const file = deliveredFile(row, kind);
    const { ext, contentType } = types[kind];
    return file && { siteId: row.siteId, kind: 'frames', ...file, name: frameName(naming, row, ext), contentType };
  };
}
