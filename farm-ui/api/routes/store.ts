/** What operators do to the stores. */
import { collectGarbage, DEFAULT_GARBAGE_RULES } from '../../../ports/store/collectGarbage.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireCaller } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { garbageReport, garbageRequest } from '../schema/store.ts';

const tags = ['farm'];

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
}
