/**
 * Delivery to a folder: frames arrive while others still render, are checked by hash, and appear under their names only
 * when whole. An interrupted pull goes on where it stopped.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import type { FarmClient } from './client.ts';
import { FarmApiError } from './errors.ts';
import type { DownloadUrl, FrameView, JobView } from './types.ts';

export interface PullOptions {
  /** Absolute folder. */
  folder: string;
  /** Stay until the job ends and take frames as they are committed. */
  wait?: boolean;
  /** Also the tone-mapped previews (PNG). */
  previews?: boolean;
  signal?: AbortSignal;
  onFile?: (name: string, file: { sizeBytes: number; skipped: boolean }) => void;
}

export interface PullResult {
  frames: number;
  downloaded: number;
  bytes: number;
  /** Names relative to the folder. */
  exr: string[];
  film: string | null;
  contactSheet: string | null;
  manifest: string | null;
}

const PARALLEL_DOWNLOADS = 4;
const FINAL = new Set(['completed', 'cancelled', 'failed', 'expired']);

/** Pulls everything of a job that is there (with `wait`: that will be there). Throws `FarmApiError`, `HashMismatch` included. */
export async function pullJob(client: FarmClient, id: string, options: PullOptions): Promise<PullResult> {
  const pulled = new Map<string, Promise<void>>();
  const exr: string[] = [];
  const totals = { downloaded: 0, bytes: 0 };
  const slots = pLimit(PARALLEL_DOWNLOADS);

  const take = (key: string, ask: () => Promise<DownloadUrl | null>): void => {
    if (pulled.has(key)) return;
    const done = slots(async () => {
      const from = await ask();
      if (!from) return;
      const skipped = await download(from, ask, options);
      totals.downloaded += skipped ? 0 : 1;
      totals.bytes += skipped ? 0 : from.sizeBytes;
      options.onFile?.(from.name, { sizeBytes: from.sizeBytes, skipped });
    });
    // Awaited at the end; until then a failure must not end the process.
    done.catch(() => undefined);
    pulled.set(key, done);
  };
  const takeFrame = (frame: FrameView): void => {
    if (frame.status !== 'committed') return;
    exr.push(frame.name);
    take(frame.unitId, async () => (await client.frameUrls(id, frame.unitId)).exr);
    if (options.previews) take(`${frame.unitId}.png`, async () => (await client.frameUrls(id, frame.unitId)).preview);
  };
  const takeCommitted = async (): Promise<void> => {
    for await (const frame of client.frames(id)) if (!pulled.has(frame.unitId)) takeFrame(frame);
  };

  let job: JobView = await client.job(id);
  await takeCommitted();
  if (options.wait && !FINAL.has(job.status)) {
    job = await untilFinal(client, job, options.signal, takeCommitted);
    await takeCommitted();
  }
  for (const kind of ['film', 'contactSheet', 'manifest'] as const)
    take(kind, async () => (await client.outputs(id))[kind]);
  const settled = await Promise.allSettled(pulled.values());
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  const outputs = await client.outputs(id);
  return {
    frames: exr.length,
    ...totals,
    exr: exr.sort(),
    film: outputs.film?.name ?? null,
    contactSheet: outputs.contactSheet?.name ?? null,
    manifest: outputs.manifest?.name ?? null,
  };
}

/** Follows the job's events until it is final; asks for new frames when some were committed. */
async function untilFinal(
  client: FarmClient,
  job: JobView,
  signal: AbortSignal | undefined,
  onCommitted: () => Promise<void>,
): Promise<JobView> {
  const stop = new AbortController();
  signal?.addEventListener('abort', () => stop.abort(), { once: true });
  for await (const event of client.events(job.id, { after: job.eventSeq, signal: stop.signal })) {
    if (event.type === 'unit.committed') await onCommitted();
    if (event.type === 'job.changed' && FINAL.has(String(event.data.status))) stop.abort();
  }
  return client.job(job.id);
}

/** Downloads one file. Returns true when it was there already, whole and right. */
async function download(
  from: DownloadUrl,
  askAgain: () => Promise<DownloadUrl | null>,
  { folder, signal }: PullOptions,
): Promise<boolean> {
  const target = join(folder, ...from.name.split('/'));
  if ((await sizeOf(target)) === from.sizeBytes && (await hashOf(target)) === from.hash) return true;
  await mkdir(dirname(target), { recursive: true });
  const part = `${target}.${from.hash.slice(0, 8)}.part`;
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchRest(attempt === 1 ? from : ((await askAgain()) ?? from), part, signal);
      const hash = await hashOf(part);
      if (hash === from.hash) break;
      await rm(part, { force: true });
      throw new FarmApiError({
        code: 'HashMismatch',
        detail: `"${from.name}" arrived with hash ${hash} instead of ${from.hash}.`,
        place: { file: from.name },
        remedy: 'Pull again; if it stays, look at the object store ("farm doctor").',
        status: 502,
      });
    } catch (error) {
      if (signal?.aborted || attempt >= 4) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
    }
  }
  await rename(part, target);
  return false;
}

async function fetchRest(from: DownloadUrl, part: string, signal: AbortSignal | undefined): Promise<void> {
  const have = (await sizeOf(part)) ?? 0;
  if (have === from.sizeBytes) return;
  const start = have < from.sizeBytes ? have : 0;
  const response = await fetch(from.url, {
    headers: start > 0 ? { range: `bytes=${start}-` } : {},
    ...(signal ? { signal } : {}),
  });
  if (!response.ok || !response.body) throw new Error(`The store answered ${response.status} for "${from.name}".`);
  const append = response.status === 206;
  await pipeline(Readable.fromWeb(response.body as never), createWriteStream(part, { flags: append ? 'a' : 'w' }));
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
