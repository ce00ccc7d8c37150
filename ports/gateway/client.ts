/** A node's side of the gateway protocol: one method a call, problems as `FarmError`s. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { FarmError, fromProblem, isErrorCode } from '../../domain/errors.ts';
import { ask as askHttp, type Question, textOf } from '../http/ask.ts';
import { type FileAnswer, type GetFile, getFile } from '../http/getFile.ts';
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
  type HeadRequest,
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
  head(chunkId: string, request: HeadRequest, signal?: AbortSignal): Promise<void>;
  report(chunkId: string, request: ReportQuestion, signal?: AbortSignal): Promise<void>;
  finish(chunkId: string, request: FinishRequest, signal?: AbortSignal): Promise<void>;
  receipts(signal?: AbortSignal): Promise<PendingReceipts>;
  signReceipt(receipt: { jobId: string; sequence: number; signature: string }, signal?: AbortSignal): Promise<void>;
  leave(signal?: AbortSignal): Promise<void>;
  /**
   * Opens a presigned address, from a byte on (a store that knows no ranges begins at 0, and the answer says so).
   * @throws FarmError `StoreFailed`, with the HTTP status in `place.status` where there was an answer
   */
  download(url: string, wish: DownloadWish): Promise<Download>;
  /**
   * Sends a file, or its first `size` bytes, to a presigned address.
   * @throws FarmError `HashMismatch` when the store refuses the bytes, `DiskFull` when its disk is, `StoreFailed`
   */
  upload(url: string, headers: Record<string, string>, path: string, size: number, signal?: AbortSignal): Promise<void>;
}

type FetchQuestion = Pick<FetchRequest, 'leaseNumber' | 'hashes'> & Partial<Pick<FetchRequest, 'bad'>>;

type ReportQuestion = Omit<ReportRequest, 'waitMs'> & Partial<Pick<ReportRequest, 'waitMs'>>;

type CopiesQuestion = Pick<CopiesRequest, 'leaseNumber'> & Partial<CopiesRequest>;

/** `sizeBytes`: what is awaited, about; a store that sends nothing for `silenceMs` milliseconds is given up. */
type DownloadWish = Pick<GetFile, 'signal' | 'silenceMs' | 'sizeBytes'> & { from?: number };

/** Bytes of an object from `from` on, to be read or destroyed. */
interface Download extends Pick<FileAnswer, 'read' | 'destroy'> {
  from: number;
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
  ): Promise<IncomingMessage> => {
    const answer = await reach(`${root}${path}`, {
      ...{ method, signal, waitMs },
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!isOk(answer)) throw await problemOf(answer, path);
    return answer;
  };
  const ask = async <T>(
    schema: z.ZodType<T>,
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal?: AbortSignal,
  ): Promise<T> => read(schema, await send(method, path, body, signal), path);
  const tell = async (path: string, body: unknown, signal?: AbortSignal): Promise<void> => {
    const answer = await send('POST', path, body, signal);
    answer.resume();
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
      const answer = await send('POST', '/claim', request, signal, request.waitMs + ANSWER_MS);
      const receiptsPending = answer.headers[RECEIPTS_HEADER] === 'pending';
      if (answer.statusCode !== 204) return { lease: await read(lease, answer, '/claim'), receiptsPending };
      answer.resume();
      return { lease: null, receiptsPending };
    },
    heartbeat: (chunkId, request, signal) =>
      ask(heartbeatAnswer, 'POST', `/leases/${chunkId}/heartbeat`, request, signal),
    fetch: (chunkId, request, signal) => ask(fetchAnswer, 'POST', `/leases/${chunkId}/fetch`, request, signal),
    copies: (chunkId, request, signal) => ask(copiesAnswer, 'POST', `/leases/${chunkId}/copies`, request, signal),
    announce: (chunkId, request, signal) => ask(announceAnswer, 'POST', `/leases/${chunkId}/announce`, request, signal),
    head: (chunkId, request, signal) => tell(`/leases/${chunkId}/head`, request, signal),
    report: (chunkId, request, signal) => tell(`/leases/${chunkId}/report`, request, signal),
    finish: (chunkId, request, signal) => tell(`/leases/${chunkId}/finish`, request, signal),
    receipts: (signal) => ask(pendingReceipts, 'GET', '/receipts', undefined, signal),
    signReceipt: (receipt, signal) => tell('/receipts', receipt, signal),
    leave: (signal) => tell('/leave', {}, signal),

    async download(url, { from = 0, ...wish }) {
      const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
      const answer = await getFile(url, { ...wish, headers }).catch((error: unknown) => {
        throw unreachable('StoreFailed', url, wish.signal, error);
      });
      const { status } = answer;
      if (status === 200 || status === 206) return { ...answer, from: status === 206 ? from : 0 };
      throw storeProblemOf(status, await reasonOf(answer), url);
    },
    async upload(url, headers, path, size, signal) {
      const { status, text } = await putFile(url, { headers, path, sizeBytes: size, signal }).catch(
        (error: unknown) => {
          throw unreachable('StoreFailed', url, signal, error);
        },
      );
      if (status < 200 || status > 299) throw storeProblemOf(status, text, url);
    },
  };
}

/** @throws FarmError `StackNotRunning` where nothing answers */
async function reach(url: string, question: Question): Promise<IncomingMessage> {
  try {
    return await askHttp(url, question);
  } catch (error) {
    throw unreachable('StackNotRunning', url, question.signal, error);
  }
}

const isOk = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300;

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

async function read<T>(schema: z.ZodType<T>, response: IncomingMessage, path: string): Promise<T> {
  let answer: unknown;
  try {
    answer = JSON.parse(await textOf(response));
  } catch (error) {
    throw new FarmError('StackNotRunning', `The answer to ${path} broke off.`, { path }, { cause: error });
  }
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new FarmError('ServiceFailed', `The answer to ${path} is not what the protocol says.`, { path });
}

async function problemOf(response: IncomingMessage, path: string): Promise<FarmError> {
  const text = await textOf(response).catch(() => '');
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
  return new FarmError('ServiceFailed', `${path} was answered with ${response.statusCode}.`, {
    path,
    status: response.statusCode ?? null,
  });
}

/** Of a store's reason for a refusal, as much as it takes to know it. */
const REASON_BYTES = 64 * 1024;

async function reasonOf(answer: FileAnswer): Promise<string> {
  let text = '';
  const take = (bytes: Buffer): undefined => {
    text += bytes.toString();
    if (text.length > REASON_BYTES) throw new Error('The store does not come to its point.');
  };
  await answer.read(take).catch(() => undefined);
  return text;
}

function storeProblemOf(status: number, text: string, url: string): FarmError {
  const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '';
  const { origin } = new URL(url);
  const place = { status, code, origin };
  if (code === 'XAmzContentSHA256Mismatch') {
    return new FarmError('HashMismatch', 'The store refused the bytes: they are not the announced ones.', place);
  }
  if (status === INSUFFICIENT_STORAGE || text.includes('no space left on device')) {
    return new FarmError('DiskFull', `No space is left on the disk of the object store at ${origin}.`, place);
  }
  return new FarmError('StoreFailed', `The object store answered ${status} ${code}.`, place);
}
