/** A node's side of the gateway protocol: one method a call, problems as `FarmError`s, addresses and bytes over `fetch`. */
import type { z } from 'zod';
import { FarmError, fromProblem, isErrorCode } from '../../domain/errors.ts';
import { putFile } from '../store/putFile.ts';
import {
  type AnnounceAnswer,
  type AnnounceRequest,
  announceAnswer,
  type ClaimRequest,
  type CopiesAnswer,
  type CopiesRequest,
  copiesAnswer,
  type FetchAnswer,
  type FetchRequest,
  type FinishRequest,
  fetchAnswer,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  heartbeatAnswer,
  type JoinAnswer,
  type JoinRequest,
  joinAnswer,
  type Lease,
  lease,
  type PendingReceipts,
  pendingReceipts,
  RECEIPTS_HEADER,
  type ReportRequest,
} from './protocol.ts';

/** What a claim came to; `receiptsPending` also without a lease, so that an idle node signs at once. */
export interface ClaimResult {
  lease: Lease | null;
  receiptsPending: boolean;
}

/**
 * All methods throw `FarmError`: the gateway's own code; `StackNotRunning` when it cannot be reached or does not answer in
 * time; `ServiceFailed` when what answers is no gateway. An aborted `signal` throws its reason.
 */
export interface GatewayClient {
  /** Joins and keeps the token for the calls that follow. */
  join(request: JoinRequest, signal?: AbortSignal): Promise<JoinAnswer>;
  claim(request: ClaimRequest, signal?: AbortSignal): Promise<ClaimResult>;
  heartbeat(chunkId: string, request: HeartbeatRequest, signal?: AbortSignal): Promise<HeartbeatAnswer>;
  fetch(chunkId: string, request: FetchQuestion, signal?: AbortSignal): Promise<FetchAnswer>;
  copies(chunkId: string, request: CopiesQuestion, signal?: AbortSignal): Promise<CopiesAnswer>;
  announce(chunkId: string, request: AnnounceRequest, signal?: AbortSignal): Promise<AnnounceAnswer>;
  report(chunkId: string, request: ReportRequest, signal?: AbortSignal): Promise<void>;
  finish(chunkId: string, request: FinishRequest, signal?: AbortSignal): Promise<void>;
  receipts(signal?: AbortSignal): Promise<PendingReceipts>;
  signReceipt(receipt: { jobId: string; sequence: number; signature: string }, signal?: AbortSignal): Promise<void>;
  leave(signal?: AbortSignal): Promise<void>;
  /**
   * Opens a presigned address, from a byte on (a store that knows no ranges begins at 0, and the answer says so).
   * @throws FarmError `StoreFailed`, with the HTTP status in `place.status` where there was an answer
   */
  download(url: string, signal?: AbortSignal, from?: number): Promise<Download>;
  /**
   * Sends a file to a presigned address.
   * @throws FarmError `HashMismatch` when the store refuses the bytes, `DiskFull` when its disk is, `StoreFailed`
   */
  upload(url: string, headers: Record<string, string>, path: string, size: number, signal?: AbortSignal): Promise<void>;
}

type FetchQuestion = Pick<FetchRequest, 'leaseNumber' | 'hashes'> & Partial<Pick<FetchRequest, 'bad'>>;

type CopiesQuestion = Pick<CopiesRequest, 'leaseNumber'> & Partial<CopiesRequest>;

/** Bytes of an object from `from` on. */
interface Download {
  from: number;
  bytes: AsyncIterable<Uint8Array>;
}

/** Longest wait for an answer that is no long poll. */
const ANSWER_MS = 15_000;
/** What MinIO answers when its disk is nearly full; once nothing fits, it is 500 with the system's own words. */
const INSUFFICIENT_STORAGE = 507;

/** @param baseUrl where the farm answers, without `/node/v1` */
export function createGatewayClient(baseUrl: string): GatewayClient {
  const root = `${baseUrl.replace(/\/+$/, '')}/node/v1`;
  let token: string | undefined;

  const send = async (
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
    waitMs = ANSWER_MS,
  ): Promise<Response> => {
    const response = await reach(`${root}${path}`, signal, waitMs, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw await problemOf(response, path);
    return response;
  };
  const ask = async <T>(
    schema: z.ZodType<T>,
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal?: AbortSignal,
  ): Promise<T> => read(schema, await send(method, path, body, signal), path);
  const tell = async (path: string, body: unknown, signal?: AbortSignal): Promise<void> => {
    const response = await send('POST', path, body, signal);
    await response.arrayBuffer();
  };

  return {
    async join(request, signal) {
      // An old token is of no use to a join, and a wrong one would be refused before the join is looked at.
      token = undefined;
      const answer = await ask(joinAnswer, 'POST', '/join', request, signal);
      token = answer.token;
      return answer;
    },
    async claim(request, signal) {
      const response = await send('POST', '/claim', request, signal, request.waitMs + ANSWER_MS);
      const receiptsPending = response.headers.get(RECEIPTS_HEADER) === 'pending';
      if (response.status === 204) return { lease: null, receiptsPending };
      return { lease: await read(lease, response, '/claim'), receiptsPending };
    },
    heartbeat: (chunkId, request, signal) =>
      ask(heartbeatAnswer, 'POST', `/leases/${chunkId}/heartbeat`, request, signal),
    fetch: (chunkId, request, signal) => ask(fetchAnswer, 'POST', `/leases/${chunkId}/fetch`, request, signal),
    copies: (chunkId, request, signal) => ask(copiesAnswer, 'POST', `/leases/${chunkId}/copies`, request, signal),
    announce: (chunkId, request, signal) => ask(announceAnswer, 'POST', `/leases/${chunkId}/announce`, request, signal),
    report: (chunkId, request, signal) => tell(`/leases/${chunkId}/report`, request, signal),
    finish: (chunkId, request, signal) => tell(`/leases/${chunkId}/finish`, request, signal),
    receipts: (signal) => ask(pendingReceipts, 'GET', '/receipts', undefined, signal),
    signReceipt: (receipt, signal) => tell('/receipts', receipt, signal),
    leave: (signal) => tell('/leave', {}, signal),

    async download(url, signal, from = 0) {
      const init = from > 0 ? { headers: { range: `bytes=${from}-` } } : {};
      const response = await fetch(url, { ...init, ...(signal ? { signal } : {}) }).catch((error: unknown) => {
        throw unreachable('StoreFailed', url, signal, error);
      });
      if (!response.ok || !response.body) throw await storeProblem(response, url);
      const bytes = response.body as unknown as AsyncIterable<Uint8Array>;
      return { bytes, from: response.status === 206 ? from : 0 };
    },
    async upload(url, headers, path, size, signal) {
      const response = await putFile(url, { headers, path, sizeBytes: size, signal }).catch((error: unknown) => {
        throw unreachable('StoreFailed', url, signal, error);
      });
      if (!response.ok) throw await storeProblem(response, url);
    },
  };
}

/** `fetch` with a deadline for the answer's head; what fails on the way is `StackNotRunning`. */
async function reach(
  url: string,
  signal: AbortSignal | undefined,
  waitMs: number | undefined,
  init: RequestInit,
): Promise<Response> {
  const signals = [signal, waitMs === undefined ? undefined : AbortSignal.timeout(waitMs)].filter((one) => !!one);
  try {
    return await fetch(url, { ...init, signal: AbortSignal.any(signals) });
  } catch (error) {
    throw unreachable('StackNotRunning', url, signal, error);
  }
}

/** What a call that got no answer fails with. */
function unreachable(
  code: 'StackNotRunning' | 'StoreFailed',
  url: string,
  signal: AbortSignal | undefined,
  error: unknown,
): unknown {
  if (signal?.aborted) return signal.reason;
  const { origin } = new URL(url);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FarmError(code, `${origin} cannot be reached: ${why}`, { origin }, { cause: error });
}

async function read<T>(schema: z.ZodType<T>, response: Response, path: string): Promise<T> {
  let answer: unknown;
  try {
    answer = await response.json();
  } catch (error) {
    throw new FarmError('StackNotRunning', `The answer to ${path} broke off.`, { path }, { cause: error });
  }
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new FarmError('ServiceFailed', `The answer to ${path} is not what the protocol says.`, { path });
}

async function problemOf(response: Response, path: string): Promise<FarmError> {
  const text = await response.text().catch(() => '');
  try {
    const problem = JSON.parse(text) as { code?: unknown; detail?: unknown; place?: unknown };
    if (isErrorCode(problem.code)) {
      return fromProblem({
        code: problem.code,
        message: String(problem.detail ?? problem.code),
        place: (problem.place ?? {}) as FarmError['place'],
      });
    }
  } catch {
    // Not a problem of the farm's: told as what it is below.
  }
  return new FarmError('ServiceFailed', `${path} was answered with ${response.status}.`, {
    path,
    status: response.status,
  });
}

async function storeProblem(response: Response, url: string): Promise<FarmError> {
  const text = await response.text().catch(() => '');
  const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '';
  const { origin } = new URL(url);
  const place = { status: response.status, code, origin };
  if (code === 'XAmzContentSHA256Mismatch') {
    return new FarmError('HashMismatch', 'The store refused the bytes: they are not the announced ones.', place);
  }
  if (response.status === INSUFFICIENT_STORAGE || text.includes('no space left on device')) {
    return new FarmError('DiskFull', `No space is left on the disk of the object store at ${origin}.`, place);
  }
  return new FarmError('StoreFailed', `The object store answered ${response.status} ${code}.`, place);
}
