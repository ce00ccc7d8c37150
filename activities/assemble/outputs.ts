/** What assemble makes: pictures of what was committed, put into the store and written into the job's row. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFrames } from '../../domain/frames.ts';
import { completeSettings } from '../../domain/settings.ts';
import { isFinalJob } from '../../domain/statuses.ts';
import type { JobOutputs } from '../../ports/db/documents.ts';
import { notifyTransient } from '../../ports/db/events.ts';
import { setOutputs } from '../../ports/db/jobs.ts';
import { CELL_WIDTH, contactSheet, pickEvenly, SHEET_FRAMES } from '../../renderer/image/contactSheet.ts';
import { encodeFilm, FILM_WIDTH } from '../../renderer/image/film.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import { type AwayAnswer, type AwayInput, framesText, StorePatience, sayAway } from '../storePatience.ts';
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

/**
 * The contact sheet of the shot, with gaps where frames are missing or their site is away; none when there is not a single
 * picture.
 */
export async function makeContactSheet(services: FarmServices, input: AwayInput): Promise<AwayAnswer> {
  const choose = (frames: readonly number[]): number[] => pickEvenly(frames, SHEET_FRAMES);
  return withShownFrames(services, input, { width: CELL_WIDTH * 2, choose }, 'contact sheet', async (shown) => {
    const { delivery, frames, patience } = shown;
    const bytes = await contactSheet([...frames]);
    const file = { kind: 'contactSheet', name: `${baseName(delivery)}_contact.png`, contentType: 'image/png' };
    await keep(services, input, patience, file, bytes);
  });
}

/** The film from the first to the last frame that was rendered; a gap in between is shown as one, so that time stays right. */
export async function makeFilm(services: FarmServices, input: AwayInput): Promise<AwayAnswer> {
  const wish = { width: FILM_WIDTH, choose: (all: readonly number[]) => all };
  return withShownFrames(services, input, wish, 'film', async ({ delivery, frames, folder, signal, patience }) => {
    if (delivery.frames.length < FEWEST_FILM_FRAMES) return;
    const rendered = frames.map(({ isRendered }) => isRendered);
    const shown = frames.slice(rendered.indexOf(true), rendered.lastIndexOf(true) + 1);
    const path = join(folder, 'film.mp4');
    const { fps } = completeSettings(delivery.job.settings);
    // A job that has ended goes through no stage any more.
    const progress = isFinalJob(delivery.job.status) ? {} : { onFrame: progressOf(services, input) };
    await encodeFilm(shown, path, { fps, signal, ...progress });
    const file = { kind: 'film', name: `${baseName(delivery)}.mp4`, contentType: 'video/mp4' };
    await keep(services, input, patience, file, { path });
  });
}

/**
 * The manifest of everything above; it comes last. Frames whose site is away are in it like all others. The job's row says which
 * sites those above lack.
 */
export async function writeManifest(services: AssembleServices, { away, ...key }: AwayInput): Promise<void> {
  const delivery = await inRecord(services, (tx) => readDelivery(tx, key));
  const manifest = makeManifest(delivery, delivery.job.outputs, services.farmVersion);
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  await withHeartbeat((signal) => {
    const patience = new StorePatience({ seconds: policyOf(services, delivery.job).storeWaitSeconds, signal });
    const file = { kind: 'manifest', name: `${baseName(delivery)}_manifest.json`, contentType: 'application/json' };
    return keep(services, key, patience, file, bytes, away);
  });
}

/** `shot_v2`, without what file systems dislike. */
const baseName = ({ job, version }: Delivery): string => `${job.name.replace(/[^\p{L}\p{N}._-]+/gu, '_')}_v${version}`;

async function keep(
  services: FarmServices,
  { studioId, jobId }: JobKey,
  patience: StorePatience,
  { kind, name, contentType }: { kind: keyof JobOutputs & string; name: string; contentType: string },
  source: Buffer | { path: string },
  awaySites?: readonly string[],
): Promise<void> {
  const put = () => services.store.put(studioId, 'outputs', source, contentType);
  const stored = await patience.ask({ siteId: null }, put);
  if (!stored) return;
  await inRecord(services, (tx) => setOutputs(tx, jobId, { [kind]: { ...stored, name, contentType } }, awaySites));
}

interface Shown {
  delivery: Delivery;
  frames: readonly ShownFrame[];
  folder: string;
  signal: AbortSignal;
  patience: StorePatience;
}

/**
 * Fetches the previews of the frames that `choose` takes of all that were ordered, at most `width` pixels wide where that is
 * possible, and calls `work` with them if there is one. They are gone afterwards. The job's log says what is missing in `what`.
 */
async function withShownFrames(
  services: FarmServices,
  input: AwayInput,
  { width, choose }: { width: number; choose: (ordered: readonly number[]) => readonly number[] },
  what: string,
  work: (shown: Shown) => Promise<void>,
): Promise<AwayAnswer> {
  const delivery = await inRecord(services, (tx) => readDelivery(tx, input));
  const folder = await mkdtemp(join(tmpdir(), 'framewright-assemble-'));
  try {
    return await withHeartbeat(async (signal) => {
      const seconds = policyOf(services, delivery.job).storeWaitSeconds;
      const patience = new StorePatience({ seconds, signal, away: input.away });
      const wanted = choose(parseFrames(delivery.job.frames ?? ''));
      const frames = await fetchPreviews(services, delivery, { frames: wanted, width, folder, signal, patience });
      const hasPicture = frames.some(({ previewPath }) => previewPath !== null);
      if (hasPicture) await work({ delivery, frames, folder, signal, patience });
      const { away } = patience;
      const gaps = frames.filter(({ previewPath, isRendered }) => isRendered && previewPath === null).length;
      await sayAway(services, input, away, (names) =>
        hasPicture
          ? `The ${what} shows a gap for ${framesText(gaps)} whose pictures lie at ${names}.`
          : `There is no ${what}: all its pictures lie at ${names}.`,
      );
      return { away };
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
