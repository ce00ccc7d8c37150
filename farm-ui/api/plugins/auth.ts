/**
 * Who asks: an API key as `Authorization: Bearer …`, or the page's cookie that holds one. Keys are known to the farm by
 * their SHA-256 only. Operators and nodes belong to no studio; everybody else to exactly one.
 */
import { createHash } from 'node:crypto';
import cookies from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { FarmError } from '../../../domain/errors.ts';
import type { Role } from '../../../domain/statuses.ts';
import { findApiKey } from '../../../ports/db/studios.ts';
import type { Api, ApiDeps } from '../deps.ts';

export const SESSION_COOKIE = 'framewright';

export interface Caller {
  keyId: string;
  role: Role;
  studioId: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

export const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Role's rights, one set a kind of action. */
const RIGHTS = {
  /** See jobs, frames, outputs, nodes. */
  read: ['artist', 'td', 'finance', 'operator'],
  /** Submit, accept, pause, resume, cancel. */
  work: ['artist', 'td', 'operator'],
  /** Raise caps. */
  spend: ['artist', 'td', 'finance', 'operator'],
  /** See invoices and balances. */
  money: ['artist', 'td', 'finance', 'operator'],
  /** Register, drain and remove sites. */
  operate: ['operator'],
} as const satisfies Record<string, readonly Role[]>;
export type Right = keyof typeof RIGHTS;

/** Finds the caller of each request; who is none stays null until a route asks for one. */
export async function addAuth(api: Api, { database }: Pick<ApiDeps, 'database'>): Promise<void> {
  await api.register(cookies);
  api.decorateRequest('caller', null);
  api.addHook('onRequest', async (request) => {
    const bearer = bearerOf(request);
    const key = bearer ?? request.cookies[SESSION_COOKIE];
    // Nodes have tokens of their own, which the gateway looks up.
    if (!key || request.url.startsWith('/node/')) return;
    if (bearer === null && !['GET', 'HEAD'].includes(request.method)) refuseForeignOrigin(request);
    request.caller = await database.singly((statements) => findApiKey(statements, hashKey(key)));
  });
}

/** The token of an `Authorization: Bearer` header, or null. */
export function bearerOf(request: FastifyRequest): string | null {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

/**
 * The caller, who must have the right.
 * @throws FarmError `Unauthenticated`, `Forbidden`
 */
export function requireCaller(request: FastifyRequest, right: Right): Caller {
  const { caller } = request;
  if (!caller) throw new FarmError('Unauthenticated', 'This needs a valid key.');
  const allowed: readonly Role[] = RIGHTS[right];
  if (!allowed.includes(caller.role)) {
    throw new FarmError(
      'Forbidden',
      `A key of role ${caller.role} may not do this; it takes ${allowed.join(' or ')}.`,
      {
        role: caller.role,
        needed: allowed.join(','),
      },
    );
  }
  return caller;
}

/**
 * The studio of a caller with the right.
 * @throws FarmError `Unauthenticated`, `Forbidden` (also for keys of no studio)
 */
export function requireStudio(request: FastifyRequest, right: Right): { studioId: string; caller: Caller } {
  const caller = requireCaller(request, right);
  if (caller.studioId === null) {
    throw new FarmError('Forbidden', 'This key belongs to no studio.', { role: caller.role });
  }
  return { studioId: caller.studioId, caller };
}

/** A cookie travels by itself, so a page from elsewhere must not be able to make use of it (SameSite is the first lock). */
function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (!origin) return;
  let host = '';
  try {
    host = new URL(origin).host;
  } catch {
    // "null" and the like: foreign.
  }
  if (host !== request.headers.host) throw new FarmError('Forbidden', 'The page that asks is not of this farm.');
}
