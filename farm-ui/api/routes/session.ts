/** The page's sign-in: an API key becomes a cookie that scripts cannot read and other sites cannot send. */
import { z } from 'zod';
import { FarmError } from '../../../domain/errors.ts';
import { findApiKey } from '../../../ports/db/studios.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { hashKey, SESSION_COOKIE } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { me } from '../schema/api.ts';
import { meOf } from './me.ts';

const WEEK_SECONDS = 7 * 86_400;

export function addSession(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/session',
    {
      schema: {
        tags: ['farm'],
        summary: 'Sign the page in',
        security: [],
        body: z.object({ key: z.string().min(1).max(500) }),
        response: { 200: me, ...problems },
      },
    },
    async (request, reply) => {
      const key = request.body.key.trim();
      const caller = await deps.database.singly((statements) => findApiKey(statements, hashKey(key)));
      if (!caller) throw new FarmError('Unauthenticated', 'This key is not known here.', { field: 'key' });
      reply.setCookie(SESSION_COOKIE, key, {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
        maxAge: WEEK_SECONDS,
      });
      return meOf(deps, caller);
    },
  );

  api.delete(
    '/v1/session',
    { schema: { tags: ['farm'], summary: 'Sign the page out', response: { 204: z.undefined() } } },
    async (_request, reply) => reply.clearCookie(SESSION_COOKIE, { path: '/' }).code(204).send(undefined),
  );
}
