/** Requests to the farm's HTTP API: session cookie, problem+json as errors, idempotency keys on what changes things. */
import type { Problem } from './types.ts';

/** A refused or failed request. `problem` says code, place and remedy; `message` is its detail. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Any thrown thing as a problem that can be shown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return localProblem(
    'Internal',
    detail,
    'Reload the page; if it happens again, report it with this message.',
    'system',
  );
}

/** A problem found by the page itself, before or beside the API. */
export function localProblem(
  code: string,
  detail: string,
  remedy: string,
  fault: 'user' | 'system' = 'user',
  place: Record<string, unknown> = {},
): Problem {
  return { code, detail, remedy, fault, place, retryable: fault === 'system' };
}

/** Where the session ended: the shell listens and shows the sign-in. */
export const SIGNED_OUT = 'farm:signed-out';

/**
 * Sends one request. `body` travels as JSON; requests other than GET carry a fresh idempotency key, so that a retry by
 * the network never does a thing twice.
 * @throws ApiError with the answer's problem, or `StackNotRunning` when nothing answers
 */
export async function request<T>(
  method: 'GET' | 'POST' | 'DELETE' | 'PATCH',
  path: string,
  body?: unknown,
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') headers['Idempotency-Key'] = randomKey();
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(
      localProblem('StackNotRunning', 'The farm does not answer.', 'Start it with "npm start" or "farm up".', 'system'),
    );
  }
  if (!response.ok) {
    const error = new ApiError(await readProblem(response));
    if (response.status === 401 && path !== '/v1/session') window.dispatchEvent(new Event(SIGNED_OUT));
    throw error;
  }
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem> & { message?: string };
    return {
      code: body.code ?? `Http${response.status}`,
      detail: body.detail ?? body.message ?? body.title ?? response.statusText,
      place: body.place ?? {},
      remedy: body.remedy ?? '',
      fault: body.fault ?? (response.status >= 500 ? 'system' : 'user'),
      retryable: body.retryable ?? response.status >= 500,
      status: response.status,
    };
  } catch {
    return {
      ...localProblem(`Http${response.status}`, response.statusText || 'The farm answered without a reason.', ''),
      status: response.status,
    };
  }
}

/** Random key; not `crypto.randomUUID`, which browsers only offer on https and loopback. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
