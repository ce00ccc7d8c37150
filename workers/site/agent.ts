/** The site agent: a small HTTP service beside a site's store, so that a frame need not cross the link to be verified. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { FrameInspectors } from '../../activities/verify/frameInspectors.ts';
import type { ExpectedFrame } from '../../activities/verify/judgeFrame.ts';
import { judgeStoredFrame } from '../../activities/verify/judgeStoredFrame.ts';
import { TRANSIT_HEADER, zstd } from '../../cli/sdk/delivery/transit.ts';
import { ERROR_CATALOGUE, FarmError, toProblem } from '../../domain/errors.ts';
import { readFrameAddress, readPictureAddress } from '../../ports/site/frameTicket.ts';
import { verifyRequest } from '../../ports/site/protocol.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import { sendFrame } from './sendFrame.ts';
import { smallPicture } from './smallPicture.ts';

export interface SiteAgentOptions {
  /** The site's store, as it is reached from here. */
  store: ObjectStore;
  inspectors: FrameInspectors;
  /** Secret that the agent shares with the farm. */
  token: string;
  host: string;
  /** 0: any free one. */
  port: number;
  log: Logger;
}

export interface SiteAgent {
  /** Where it answers. */
  url: string;
  close(): Promise<void>;
}

/** What a hash names never changes; whose address has expired may still look at what was seen. */
const PICTURE_CACHE = 'private, max-age=86400, immutable';
/** A request that names one frame is small. */
const LONGEST_BODY_BYTES = 64 * 1024;

/** Starts it; rejects when the port is taken. */
export async function startSiteAgent(options: SiteAgentOptions): Promise<SiteAgent> {
  const { host, port, log } = options;
  // Now, while the inspectors' threads are connected to nobody: loading it looks up whoever they are connected to.
  zstd();
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      const problem = toProblem(error);
      const { status } = ERROR_CATALOGUE[problem.code];
      if (status >= 500) log.error({ err: error }, 'a request failed');
      if (response.headersSent) response.destroy();
      else sendJson(response, status, { ...problem, status, detail: problem.message }, 'application/problem+json');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: SiteAgentOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const address = new URL(request.url ?? '/', 'http://agent');
  const { pathname } = address;
  const call = `${request.method} ${pathname}`;
  if (call === 'GET /v1/health') return sendJson(response, 200, {});
  if (call === 'POST /v1/verify') {
    requireToken(request, options.token);
    return sendJson(response, 200, await verify(options, await readBody(request)));
  }
  if (call.startsWith('GET /v1/pictures/')) {
    const bytes = await smallPicture(options.store, readPictureAddress(options.token, address, new Date()));
    const head = { 'content-type': 'image/webp', 'content-length': bytes.length, 'cache-control': PICTURE_CACHE };
    return void response.writeHead(200, head).end(bytes);
  }
  if (call.startsWith('GET /v1/frames/')) {
    const ticket = readFrameAddress(options.token, address, new Date());
    const from = Number(/^bytes=(\d{1,15})-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const always = request.headers[TRANSIT_HEADER] === 'on';
    return sendFrame(options.store, { ...ticket, from, always }, response);
  }
  throw new FarmError('NotFound', `The site agent has no ${call}.`, { path: pathname });
}

async function verify(options: SiteAgentOptions, body: unknown): Promise<unknown> {
  const { data, error } = verifyRequest.safeParse(body);
  if (!data) {
    const [issue] = error.issues;
    const field = issue?.path.join('.') ?? '';
    throw new FarmError('RequestInvalid', `The request is not one to verify a frame: ${issue?.message}`, { field });
  }
  return judgeStoredFrame(options, data, data.expected as unknown as ExpectedFrame);
}

/** Both sides are hashed first, so that the comparison takes the same time whatever was sent. */
function requireToken(request: IncomingMessage, token: string): void {
  const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
  const said = request.headers.authorization ?? '';
  if (timingSafeEqual(sha256(said), sha256(`Bearer ${token}`))) return;
  throw new FarmError('Unauthenticated', "The site agent wants the farm's token.");
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LONGEST_BODY_BYTES) throw new FarmError('RequestInvalid', 'The request is too long.', { bytes: size });
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString()) as unknown;
  } catch {
    throw new FarmError('RequestInvalid', 'The request is no JSON.');
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}
