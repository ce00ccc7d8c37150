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
}

/** Enough to wait for a turn and be read. */
const ADDRESS_SECONDS = 600;

/**
 * Reads the EXR (length and hash checked), judges it, and looks whether the preview is there.
 * @throws FarmError `StoreFailed` when the store does not answer
 */
export async function judgeStoredFrame(
  { store, inspectors }: { store: ObjectStore; inspectors: FrameInspectors },
  { studioId, exr, preview }: StoredFrame,
  expected: ExpectedFrame,
): Promise<Verdict> {
  const { hash, sizeBytes } = exr;
  const address = { studioId, kind: 'frames', hash, expiresSeconds: ADDRESS_SECONDS } as const;
  const url = await store.presignGet(address);
  const [verdict, previewStat] = await Promise.all([
    inspectors.judge({ url, hash, sizeBytes, expected }),
    store.stat(studioId, 'frames', preview.hash),
  ]);
  return previewStat?.sizeBytes === preview.sizeBytes
    ? verdict
    : damaged('Its preview is not in the store as announced.');
}
