/** The pictures that contact sheet and film are made of, from wherever their frames lie. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pictureFromSite } from '../../ports/site/client.ts';
import type { PictureTicket } from '../../ports/site/frameTicket.ts';
import type { SiteStore } from '../../ports/store/siteStores.ts';
import type { FarmServices, JobKey } from '../services.ts';
import type { StorePatience } from '../storePatience.ts';
import type { Delivery } from './deliveredFrames.ts';

/** A frame of the shot as pictures show it; null where it was not rendered, or its site is away. */
export interface ShownFrame {
  frame: number;
  previewPath: string | null;
  /** It is committed. */
  isRendered: boolean;
}

interface PreviewWish {
  /** Which, in the order to show them. */
  frames: readonly number[];
  /** That they are shown at, pixels: sites with an agent send them no wider, so that films leave links to the frames. */
  width: number;
  /** Absolute. */
  folder: string;
  signal: AbortSignal;
  /** With sites that do not answer. */
  patience: StorePatience;
}

type Frame = Pick<Delivery['frames'][number], 'frame' | 'siteId'> & { preview: { hash: string } };

const PARALLEL = 8;

/**
 * Each picture once, also where frames share it. Nothing is being written any more when it returns or throws.
 * @throws FarmError of a store that lacks one; `StoreFailed` of home
 */
export async function fetchPreviews(
  services: Pick<FarmServices, 'stores' | 'log'>,
  { job, frames }: { job: Pick<JobKey, 'studioId'>; frames: readonly Frame[] },
  { frames: wanted, width, folder, signal, patience }: PreviewWish,
): Promise<ShownFrame[]> {
  // Later takes come later, so that the newest one is shown.
  const newest = new Map(frames.map((one) => [one.frame, one]));
  const shown = wanted.map((frame) => ({ frame, found: newest.get(frame) }));
  const siteOf = new Map(shown.flatMap(({ found }) => (found ? [[found.preview.hash, found.siteId] as const] : [])));
  const pictures = [...siteOf];
  const fetched = new Map<string, string>();
  for (let next = 0; next < pictures.length; next += PARALLEL) {
    signal.throwIfAborted();
    const outcomes = await Promise.allSettled(
      pictures.slice(next, next + PARALLEL).map(async ([hash, siteId]) => {
        const site = await services.stores.of(siteId);
        const path = join(folder, hash);
        const wish = { studioId: job.studioId, hash, width };
        const got = await patience.ask(site, () => fetchPicture(services, site, wish, path));
        if (got) fetched.set(hash, path);
      }),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }
  return shown.map(({ frame, found }) => ({
    frame,
    previewPath: (found && fetched.get(found.preview.hash)) ?? null,
    isRendered: found !== undefined,
  }));
}

/** From the agent beside it as small as it is needed; whole where there is none, or it does not serve. */
async function fetchPicture(
  { log }: Pick<FarmServices, 'log'>,
  { agent, store }: SiteStore,
  wanted: PictureTicket,
  path: string,
): Promise<{ path: string }> {
  if (agent) {
    try {
      await writeFile(path, await pictureFromSite(agent, wanted));
      return { path };
    } catch (error) {
      log.warn({ err: error, hash: wanted.hash }, 'a site sent no small picture');
    }
  }
  await store.getToFile(wanted.studioId, 'frames', wanted.hash, path);
  return { path };
}
