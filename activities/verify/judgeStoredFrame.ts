/** Looks at a frame where it lies: what a site agent does beside its store, and dispatch for sites without an agent. */
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import type { FrameInspectors } from './frameInspectors.ts';
import { damaged, type ExpectedFrame, type Verdict } from './judgeFrame.ts';

export interface StoredFile {
  hash: string;
  sizeBytes: number;
}

export interface StoredFrame {
  studioId: string;
  exr: StoredFile;
  preview: StoredFile;
  /** In the format that the job chooses; absent where that is the preview's. */
  picture?: StoredFile | undefined;
}

/** Enough to wait for a turn and be read. */
const ADDRESS_SECONDS = 600;

/**
 * Reads the EXR (length and hash checked), judges it, and looks whether preview and picture are there.
 * @throws FarmError `StoreFailed` when the store does not answer
 */
export async function judgeStoredFrame(
  { store, inspectors }: { store: ObjectStore; inspectors: FrameInspectors },
  { studioId, exr, preview, picture }: StoredFrame,
  expected: ExpectedFrame,
): Promise<Verdict> {
  const { hash, sizeBytes } = exr;
  const address = { studioId, kind: 'frames', hash, expiresSeconds: ADDRESS_SECONDS } as const;
  const url = await store.presignGet(address);
  const isThere = async (file: StoredFile): Promise<boolean> =>
    (await store.stat(studioId, 'frames', file.hash))?.sizeBytes === file.sizeBytes;
  const [verdict, hasPreview, hasPicture] = await Promise.all([
    inspectors.judge({ url, hash, sizeBytes, expected }),
    isThere(preview),
    picture ? isThere(picture) : true,
  ]);
  if (!hasPreview) return damaged('Its preview is not in the store as announced.');
  return hasPicture ? verdict : damaged('Its picture is not in the store as announced.');
}
