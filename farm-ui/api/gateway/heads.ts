/**
 * First parts of frames that are still on their way into their site's store. The studio whose link has nothing else to carry
 * takes them at once; for anybody else they are bytes that nothing names, and garbage collection takes them.
 */
import { FarmError } from '../../../domain/errors.ts';
import { headBytesOf } from '../../../domain/frameHead.ts';
import { notifyTransient } from '../../../ports/db/events.ts';
import { unitOnItsWay } from '../../../ports/db/heads.ts';
import { namedJob } from '../../../ports/db/queries/frames.ts';
import type { NodeRow } from '../../../ports/db/tables.ts';
import type { HeadRequest } from '../../../ports/gateway/protocol.ts';
import { byteRange } from '../../../ports/http/range.ts';
import type { ApiDeps } from '../deps.ts';
import { HEAD_ADDRESS_SECONDS } from '../routes/heads.ts';
import { frameName, namingOf } from '../views/frames.ts';

/** A node may not hand out more of a frame than that, nor what nobody needs. @throws FarmError `RequestInvalid` */
export function checkHead(head: { sizeBytes: number }, frameBytes: number): void {
  const headBytes = headBytesOf(frameBytes);
  if (headBytes > 0 && head.sizeBytes === headBytes) return;
  const message = `The head of a frame of ${frameBytes} bytes has ${headBytes} bytes, not ${head.sizeBytes}.`;
  throw new FarmError('RequestInvalid', message, { field: 'head' });
}

/**
 * A node has put a head where `announce` said: tells whoever follows the job where it is to be had.
 * @throws FarmError `LeaseLost`, `RequestInvalid`
 */
export async function tellHead(
  { database, stores }: ApiDeps,
  node: NodeRow,
  chunkId: string,
  { leaseNumber, unitId, exr, head }: HeadRequest,
): Promise<void> {
  checkHead(head, exr.sizeBytes);
  const key = { chunkId, nodeId: node.id, leaseNumber };
  const unit = await database.singly((statements) => unitOnItsWay(statements, key, unitId));
  const job = unit && (await database.singly((statements) => namedJob(statements, unit.jobId)));
  if (!job) return;
  const { studioId, jobId } = unit;
  const { siteId, store } = await stores.of(node.siteId);
  const headBytes = head.sizeBytes;
  const object = {
    studioId,
    kind: 'frames',
    hash: head.hash,
    expiresSeconds: HEAD_ADDRESS_SECONDS,
    range: byteRange(0, headBytes),
  } as const;
  const url = await store.presignGet(object);
  const name = frameName(namingOf(job), unit, 'exr');
  const data = { unitId, siteId, name, ...exr, headBytes, url };
  await database.singly((statements) => notifyTransient(statements, { studioId, jobId, type: 'unit.head', data }));
}
