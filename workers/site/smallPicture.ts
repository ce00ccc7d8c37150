/**
 * Small copies of the pictures beside frames, made where those lie, so that no whole one crosses the site's link for a thumbnail:
 * it is a tenth of what its frame takes as half floats (0.39 of 4.15 MB for 960×540 with 16 samples).
 */
import pLimit from 'p-limit';
import { FarmError } from '../../domain/errors.ts';
import type { PictureTicket } from '../../ports/site/frameTicket.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';

/** A picture of 8192×4608 takes 0.7 core seconds; frames that are judged shall not wait for many of them. */
const turns = pLimit(1);
/** Of WebP: a film compresses what it gets once more. */
const QUALITY = 92;

/**
 * A picture of a studio, at most `width` pixels wide and never enlarged, as WebP.
 * @throws FarmError `NotFound`; `FrameRefused` where it is no picture; `StoreFailed`
 */
export function smallPicture(store: ObjectStore, { studioId, hash, width }: PictureTicket): Promise<Buffer> {
  return turns(async () => {
    const whole = await store.get(studioId, 'frames', hash);
    // An agent that only verifies frames never loads it.
    const { thumbnail } = await import('../../renderer/image/preview.ts');
    return thumbnail(whole, width, 'webp', QUALITY).catch((error: unknown) => {
      throw new FarmError('FrameRefused', `The object ${hash} is no picture.`, { hash }, { cause: error });
    });
  });
}
