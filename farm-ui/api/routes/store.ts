/** What operators do to the stores. */
import { z } from 'zod';
import { FarmError } from '../../../domain/errors.ts';
import type { StoredObject } from '../../../ports/db/storedObjects.ts';
import { checkStores } from '../../../ports/store/checkStores.ts';
import { collectGarbage, DEFAULT_GARBAGE_RULES } from '../../../ports/store/collectGarbage.ts';
import { OBJECT_KINDS } from '../../../ports/store/objectStore.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireCaller } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { checkReport, checkRequest, garbageReport, garbageRequest } from '../schema/store.ts';

const tags = ['farm'];
/** A round of a check answers soon, so that its progress shows. */
const ROUND = { maxMs: 5_000, maxObjects: 1_000 };

export function addStore(api: Api, { database, stores, clock, garbage = DEFAULT_GARBAGE_RULES }: ApiDeps): void {
  api.post(
    '/v1/store/gc',
    {
      schema: {
        tags,
        summary: 'Remove what nothing names, from the own store and those of all sites',
        description: 'Operators only. The farm does so by itself, once an hour.',
        body: garbageRequest.nullish(),
        response: { 200: garbageReport, ...problems },
      },
    },
    async (request) => {
      requireCaller(request, 'operate');
      const dryRun = request.body?.dryRun;
      return collectGarbage({ database, stores, log: request.log, rules: garbage, now: clock.now(), dryRun });
    },
  );

  api.post(
    '/v1/store/check',
    {
      schema: {
        tags,
        summary: 'Read and hash what the record says is stored, a round at a time; with `repair`, mend what is wrong',
        description: 'Operators only.',
        body: checkRequest.nullish(),
        response: { 200: checkReport, ...problems },
      },
    },
    async (request) => {
      requireCaller(request, 'operate');
      const { cursor, repair = false } = request.body ?? {};
      const after = cursor === undefined ? null : decode(cursor);
      const { next, ...report } = await checkStores({ database, stores }, { ...ROUND, after, repair });
      return { ...report, nextCursor: next && encode(next) };
    },
  );
}

const encode = ({ studioId, kind, hash, siteId, copy }: StoredObject): string =>
  Buffer.from(JSON.stringify([studioId, kind, hash, siteId, copy])).toString('base64url');

const position = z.tuple([z.uuid(), z.enum(OBJECT_KINDS), z.string(), z.uuid().nullable(), z.boolean()]);

/** @throws FarmError `RequestInvalid` for a cursor that no round answered */
function decode(cursor: string): StoredObject {
  try {
    const [studioId, kind, hash, siteId, copy] = position.parse(
      JSON.parse(Buffer.from(cursor, 'base64url').toString()),
    );
    return { studioId, kind, hash, siteId, copy };
  } catch {
    throw new FarmError('RequestInvalid', 'The cursor is not one of ours.', { field: 'cursor' });
  }
}
