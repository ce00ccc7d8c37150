/** The pictures that contact sheet and film are made of, from wherever their frames lie. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pictureFromSite } from '../../ports/site/client.ts';
import type { PictureTicket } from '../../ports/site/frameTicket.ts';
import type { SiteStore } from '../../ports/store/siteStores.ts';
import type { FarmServices, JobKey } from '../services.ts';
import type { Delivery } from './deliveredFrames.ts';

/** A frame of the shot as pictures show it; null where it was not rendered. */
export interface ShownFrame {
  frame: number;
  previewPath: string | null;
}

interface PreviewWish {
  /** Which, in the order to show them. */
  frames: readonly number[];
  /** That they are shown at, pixels: sites with an agent send them no wider, so that films leave links to the frames. */
  width: number;
  /** Absolute. */
  folder: string;
  signal: AbortSignal;
}

type Frame = Pick<Delivery['frames'][number], 'frame' | 'siteId'> & { preview: { hash: string } };

const PARALLEL = 8;

/** Each picture once, also where frames share it. @throws FarmError of a store that lacks one, or does not answer */
export async function fetchPreviews(
  services: Pick<FarmServices, 'stores' | 'log'>,
  { job, frames }: { job: Pick<JobKey, 'studioId'>; frames: readonly Frame[] },
  { frames: wanted, width, folder, signal }: PreviewWish,
): Promise<ShownFrame[]> {
  // Later takes come later, so that the newest one is shown.
  const newest = new Map(frames.map((one) => [one.frame, one]));
  const shown = wanted.map((frame) => ({ frame, found: newest.get(frame) }));
  const siteOf = new Map(shown.flatMap(({ found }) => (found ? [[found.preview.hash, found.siteId] as const] : [])));
  const pictures = [...siteOf];
  for (let next = 0; next < pictures.length; next += PARALLEL) {
    signal.throwIfAborted();
    await Promise.all(
      pictures.slice(next, next + PARALLEL).map(async ([hash, siteId]) => {
        const site = await services.stores.of(siteId);
        await fetchPicture(services, site, { studioId: job.studioId, hash, width }, join(folder, hash));
      }),
    );
  }
  return shown.map(({ frame, found }) => ({ frame, previewPath: found ? join(folder, found.preview.hash) : null }));
}

/** From the agent beside it as small as it is needed; whole where there is none, or it does not serve. */
async function fetchPicture(
  { log }: Pick<FarmServices, 'log'>,
  { agent, store }: SiteStore,
  wanted: PictureTicket,
  path: string,
): Promise<void> {
  if (agent) {
    try {
      return await writeFile(path, await pictureFromSite(agent, wanted));
    } catch (error) {
      log.warn({ err: error, hash: wanted.hash }, 'a site sent no small picture');
    }
  }
  await store.getToFile(wanted.studioId, 'frames', wanted.hash, path);
}
