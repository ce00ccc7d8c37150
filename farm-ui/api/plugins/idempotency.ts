/**
 * `Idempotency-Key` on POSTs: the same request with the same key happens once; a repetition gets the first answer. What
 * failed for a reason that may pass (5xx) is forgotten, so that the same key can try again.
 */
import { createHash } from 'node:crypto';
import { FarmError } from '../../../domain/errors.ts';
import { abandon, begin, complete } from '../../../ports/db/idempotency.ts';
import type { Api, ApiDeps } from '../deps.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set while the request holds its key; cleared once the answer is on record. */
    idempotency: { studioId: string; key: string } | null;
  }
}

export const LONGEST_KEY = 200;

export function addIdempotency(api: Api, { database }: Pick<ApiDeps, 'database'>): void {
  api.decorateRequest('idempotency', null);

  api.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    const studioId = request.caller?.studioId;
    if (request.method !== 'POST' || key === undefined || !studioId) return;
    if (typeof key !== 'string' || key.length === 0 || key.length > LONGEST_KEY) {
      throw new FarmError('RequestInvalid', `An Idempotency-Key has 1 to ${LONGEST_KEY} characters.`, {
        field: 'Idempotency-Key',
      });
    }
    const requestHash = createHash('sha256')
      .update(JSON.stringify([request.method, request.url, request.body ?? null]))
      .digest('hex');
    const state = await database.withStudio(studioId, (tx) => begin(tx, { studioId, key, requestHash }));
    if (state.state === 'new') {
      request.idempotency = { studioId, key };
      return;
    }
    const type = state.status < 400 ? 'application/json' : 'application/problem+json';
    reply.header('idempotency-replayed', 'true').code(state.status);
    if (state.response === null) return reply.serializer(() => '').send(undefined);
    return reply
      .header('content-type', `${type}; charset=utf-8`)
      .serializer((payload) => JSON.stringify(payload))
      .send(state.response);
  });

  api.addHook('onSend', async (request, reply, payload) => {
    const { idempotency } = request;
    if (!idempotency) return payload;
    request.idempotency = null;
    const status = reply.statusCode;
    try {
      await database.withStudio(idempotency.studioId, async (tx) => {
        if (status >= 500) await abandon(tx, idempotency);
        else await complete(tx, { ...idempotency, status, response: parsed(payload) });
      });
    } catch (error) {
      // A refusal left nothing behind and can be made again: better that than an error about an error.
      if (status < 400) throw error;
      request.log.error({ err: error }, 'a refusal is not on record for its repetition');
    }
    return payload;
  });
}

const parsed = (payload: unknown): unknown =>
  typeof payload === 'string' && payload !== '' ? JSON.parse(payload) : null;
