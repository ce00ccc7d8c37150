/** What assemble makes: pictures of what was committed, put into the store and written into the job's row. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFrames } from '../../domain/frames.ts';
import { completeSettings } from '../../domain/settings.ts';
import type { JobOutputs } from '../../ports/db/documents.ts';
import { notifyTransient } from '../../ports/db/events.ts';
import { setOutputs } from '../../ports/db/jobs.ts';
import { CELL_WIDTH, contactSheet, pickEvenly, SHEET_FRAMES } from '../../renderer/image/contactSheet.ts';
import { encodeFilm, FILM_WIDTH } from '../../renderer/image/film.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type FarmServices, inRecord, type JobKey } from '../services.ts';
import { type Delivery, readDelivery } from './deliveredFrames.ts';
import { fetchPreviews, type ShownFrame } from './fetchPreviews.ts';
import { makeManifest } from './manifest.ts';

export interface AssembleServices extends FarmServices {
  /** Version of the farm, for manifests. */
  farmVersion: string;
}

/** A still is no film. */
const FEWEST_FILM_FRAMES = 2;
const PROGRESS_MS = 500;

/** The contact sheet of the shot, with gaps where frames are missing; none when there is not a single frame. */
export async function makeContactSheet(services: FarmServices, key: JobKey): Promise<void> {
  const choose = (frames: readonly number[]): number[] => pickEvenly(frames, SHEET_FRAMES);
  await withShownFrames(services, key, { width: CELL_WIDTH * 2, choose }, async (delivery, frames) => {
    if (delivery.frames.length === 0) return;
    const bytes = await contactSheet(frames);
    const name = `${baseName(delivery)}_contact.png`;
    await keep(services, key, 'contactSheet', bytes, name, 'image/png');
  });
}

/** The film from the first to the last frame that was rendered; a gap in between is shown as one, so that time stays right. */
export async function makeFilm(services: FarmServices, key: JobKey): Promise<void> {
  const wish = { width: FILM_WIDTH, choose: (all: readonly number[]) => all };
  await withShownFrames(services, key, wish, async (delivery, frames, folder, signal) => {
    if (delivery.frames.length < FEWEST_FILM_FRAMES) return;
    const rendered = frames.map(({ previewPath }) => previewPath !== null);
    const shown = frames.slice(rendered.indexOf(true), rendered.lastIndexOf(true) + 1);
    const path = join(folder, 'film.mp4');
    const { fps } = completeSettings(delivery.job.settings);
    await encodeFilm(shown, path, { fps, signal, onFrame: progressOf(services, key) });
    await keep(services, key, 'film', { path }, `${baseName(delivery)}.mp4`, 'video/mp4');
  });
}

/** The manifest of everything above; it comes last. */
export async function writeManifest(services: AssembleServices, key: JobKey): Promise<void> {
  const delivery = await inRecord(services, (tx) => readDelivery(tx, key));
  const manifest = makeManifest(delivery, delivery.job.outputs, services.farmVersion);
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  await keep(services, key, 'manifest', bytes, `${baseName(delivery)}_manifest.json`, 'application/json');
}

/** `shot_v2`, without what file systems dislike. */
const baseName = ({ job, version }: Delivery): string => `${job.name.replace(/[^\p{L}\p{N}._-]+/gu, '_')}_v${version}`;

async function keep(
  services: FarmServices,
  { studioId, jobId }: JobKey,
  kind: keyof JobOutputs & string,
  source: Buffer | { path: string },
  name: string,
  contentType: string,
): Promise<void> {
  const stored = await services.store.put(studioId, 'outputs', source, contentType);
  await inRecord(services, (tx) => setOutputs(tx, jobId, { [kind]: { ...stored, name, contentType } }));
}

/**
 * Fetches the previews of the frames that `choose` takes of all that were ordered, at most `width` pixels wide where that is
 * possible, and calls `work` with them. They are gone afterwards.
 */
async function withShownFrames(
  services: FarmServices,
  key: JobKey,
  { width, choose }: { width: number; choose: (ordered: readonly number[]) => readonly number[] },
  work: (delivery: Delivery, frames: ShownFrame[], folder: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const delivery = await inRecord(services, (tx) => readDelivery(tx, key));
  const folder = await mkdtemp(join(tmpdir(), 'framewright-assemble-'));
  try {
    await withHeartbeat(async (signal) => {
      const shown = choose(parseFrames(delivery.job.frames ?? ''));
      const frames = await fetchPreviews(services, delivery, { frames: shown, width, folder, signal });
      await work(delivery, frames, folder, signal);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Tells pages how far the film is, twice a second at most. */
function progressOf(services: FarmServices, { studioId, jobId }: JobKey): (done: number, total: number) => void {
  let told = 0;
  return (done, total) => {
    const now = performance.now();
    if (now - told < PROGRESS_MS && done < total) return;
    told = now;
    const data = { stage: 'assemble' as const, fraction: done / total };
    inRecord(services, (tx) => notifyTransient(tx, { studioId, jobId, type: 'stage.progress', data })).catch(
      (error: unknown) => services.log.debug({ err: error }, 'progress not told'),
    );
  };
}
