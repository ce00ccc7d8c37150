/** Who you are, and what your studio's account holds. */
import type { z } from 'zod';
import { FarmError } from '../../../domain/errors.ts';
import { getStudio } from '../../../ports/db/studios.ts';
import type { Api, ApiDeps } from '../deps.ts';
import type { Caller } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { me } from '../schema/api.ts';

export function addMe(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/me',
    { schema: { tags: ['farm'], summary: 'Who this key belongs to', response: { 200: me, ...problems } } },
    async (request) => {
      if (!request.caller) throw new FarmError('Unauthenticated', 'This needs a valid key.');
      return meOf(deps, request.caller);
    },
  );
}

/** The balance is null while the chain does not answer: who you are does not depend on it. */
export async function meOf({ database, chain }: ApiDeps, { role, studioId }: Caller): Promise<z.infer<typeof me>> {
  const studio = studioId ? await database.withStudio(studioId, (tx) => getStudio(tx, studioId)) : null;
  if (!studio) return { role, studio: null, balance: null };
  const { id, slug, name, currency, account } = studio;
  const balance = await chain.balanceOf(account).then(String, () => null);
  return { role, studio: { id, slug, name, currency, account }, balance };
}
