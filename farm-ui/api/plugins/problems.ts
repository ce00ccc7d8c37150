/** Every failure leaves as problem+json (RFC 9457) with a code of the one catalogue. */
import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import { ERROR_CATALOGUE, FarmError, isErrorCode, type Problem, toProblem } from '../../../domain/errors.ts';
import { visible } from '../../../domain/text.ts';
import type { Api } from '../deps.ts';

/** A problem as it travels, RFC 9457 members first. */
interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  place: Problem['place'];
  remedy: string;
  fault: Problem['fault'];
  retryable: boolean;
}

function problemDetails(error: FarmError, status: number = ERROR_CATALOGUE[error.code].status): ProblemDetails {
  const { code, message, place, remedy, fault, retryable } = toProblem(error);
  return {
    type: `urn:framewright:problem:${code}`,
    title: code.replace(/(?<=[a-z])(?=[A-Z])/g, ' '),
    status,
    detail: visible(message),
    code,
    place: visiblePlace(place),
    remedy,
    fault,
    retryable,
  };
}

/** Refusals quote what was asked. */
const visiblePlace = (place: Problem['place']): Problem['place'] =>
  Object.fromEntries(
    Object.entries(place).map(([key, value]) => [visible(key), typeof value === 'string' ? visible(value) : value]),
  );

/** A problem as kept in the record (a job's, a chunk's) in the same shape; null stays null. */
export function storedProblem(
  stored: { code: string; message: string; place: FarmError['place'] } | null,
): ProblemDetails | null {
  if (!stored) return null;
  const code = isErrorCode(stored.code) ? stored.code : 'Internal';
  return problemDetails(new FarmError(code, stored.message, stored.place ?? {}));
}

export function addProblems(api: Api): void {
  api.setErrorHandler(answerError);
}

/** The answer to whatever went wrong with a request, also before it had a route. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const farmError = asFarmError(error, request);
  const status =
    farmError.code === 'RequestInvalid' && error.statusCode && error.statusCode >= 400 && error.statusCode < 500
      ? error.statusCode
      : ERROR_CATALOGUE[farmError.code].status;
  if (status >= 500) request.log.error({ err: error }, 'request failed');
  else request.log.info({ code: farmError.code, detail: farmError.message }, 'request refused');
  return sendProblem(reply, farmError, status);
}

/** What Node's parser does not take for HTTP, by its code. */
const UNREADABLE: Record<string, { status: number; message: string }> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: `The request's headers are longer than ${maxHeaderSize} bytes.` },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request did not come to its end in time.' },
};

/** The answer to bytes that are no request: nothing of the server's has seen them. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { status, message } = UNREADABLE[error.code ?? ''] ?? { status: 400, message: 'That is no HTTP/1.1 request.' };
  const problem = problemDetails(new FarmError('RequestInvalid', message, { reason: error.code ?? '' }), status);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}

export function sendProblem(reply: FastifyReply, error: FarmError, status?: number): FastifyReply {
  const body = problemDetails(error, status);
  // As text: problems have their own shape, whatever the route's answer would look like.
  return reply
    .code(body.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer((payload) => JSON.stringify(payload))
    .send(body);
}

function asFarmError(error: FastifyError, request: FastifyRequest): FarmError {
  if (error instanceof FarmError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issue = error.validation[0];
    const field = (issue?.instancePath ?? '').split('/').filter(Boolean).join('.');
    const where = field === '' ? (error.validationContext ?? 'request') : field;
    return new FarmError('RequestInvalid', `${where}: ${issue?.message ?? 'is not valid'}.`, { field: where });
  }
  if (isResponseSerializationError(error)) {
    return new FarmError('Internal', `The answer to request ${request.id} had a wrong shape.`, { request: request.id });
  }
  if (isUnstorable(error)) {
    const why = 'The request holds a NUL, or half a character, where the farm keeps text.';
    return new FarmError('RequestInvalid', why, { reason: error.code });
  }
  if (isServiceDown(error)) {
    return new FarmError('ServiceFailed', 'A service of the farm does not answer.', { request: request.id });
  }
  if (error.statusCode && error.statusCode >= 400 && error.statusCode < 500) {
    return new FarmError('RequestInvalid', error.message, { reason: error.code ?? '' });
  }
  // What went wrong inside stays inside: the log has it under the request's id.
  return new FarmError('Internal', `Something broke inside the farm (request ${request.id}).`, { request: request.id });
}

/** PostgreSQL's `character_not_in_repertoire` and `untranslatable_character`: no text of ours has such, only a caller's. */
const isUnstorable = ({ code }: FastifyError): boolean => code === '22021' || code === '22P05';

/** Connection refused, reset, timed out; PostgreSQL starting, stopping or out of connections. */
function isServiceDown(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return /connect.*timeout|timeout.*connect|Connection terminated/i.test(String(error));
  return /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|57P0[123]|53300|08\d{3})$/.test(code);
}
