/** Looks at one uploaded frame before it is committed and billed. */
import { FarmError } from '../../domain/errors.ts';
import type { Tx } from '../../ports/db/client.ts';
import type { UnitArtifact } from '../../ports/db/documents.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import { type ExrInspection, inspectExr } from '../../renderer/image/exr/inspect.ts';
import { type ExpectedFrame, judgeFrame, type Verdict } from './judgeFrame.ts';

export interface UploadedFrame {
  studioId: string;
  jobId: string;
  unitId: string;
  frame: number;
  artifacts: readonly UnitArtifact[];
}

/**
 * Reads the frame's EXR from the store, with its bytes checked against the announced hash, and judges it. A black frame or
 * one that equals another of the job is accepted with a warning. Throws only when the store or database does not answer.
 */
export async function verifyFrame(
  store: ObjectStore,
  inRecord: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>,
  frame: UploadedFrame,
  expected: ExpectedFrame,
): Promise<Verdict> {
  const exr = frame.artifacts.find(({ kind }) => kind === 'exr');
  const preview = frame.artifacts.find(({ kind }) => kind === 'preview');
  if (!exr || !preview) return damaged('It came without its EXR or preview.');
  const [bytes, previewStat] = await Promise.all([
    readFrame(store, frame.studioId, exr.hash),
    store.stat(frame.studioId, 'frames', preview.hash),
  ]);
  if (!bytes) return damaged('Its EXR is not in the store.');
  if (bytes.length !== exr.sizeBytes)
    return damaged(`Its EXR has ${bytes.length} bytes; ${exr.sizeBytes} were announced.`);
  if (!previewStat) return damaged('Its preview is not in the store.');
  let picture: ExrInspection;
  try {
    picture = await inspectExr(bytes);
  } catch (error) {
    return damaged(`Its EXR cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const verdict = judgeFrame(picture, expected);
  if (!verdict.accepted) return verdict;
  const twin = await inRecord((tx) => frameWithSamePicture(tx, frame, exr.hash));
  if (twin !== null) {
    verdict.warnings.push({ code: 'Duplicate', message: `The frame equals frame ${twin}, bit for bit.` });
  }
  return verdict;
}

const damaged = (message: string): Verdict => ({ accepted: false, reason: 'Damaged', message });

async function readFrame(store: ObjectStore, studioId: string, hash: string): Promise<Buffer | null> {
  try {
    return await store.get(studioId, 'frames', hash);
  } catch (error) {
    if (error instanceof FarmError && (error.code === 'NotFound' || error.code === 'HashMismatch')) return null;
    throw error;
  }
}

/** Number of another committed frame of the job with the same EXR, or null. */
async function frameWithSamePicture(tx: Tx, frame: UploadedFrame, hash: string): Promise<number | null> {
  const twin = await tx
    .selectFrom('units')
    .select('frame')
    .where('studioId', '=', frame.studioId)
    .where('jobId', '=', frame.jobId)
    .where('status', '=', 'committed')
    .where('frame', '!=', frame.frame)
    .where('artifacts', '@>', JSON.stringify([{ kind: 'exr', hash }]) as never)
    .orderBy('frame')
    .limit(1)
    .executeTakeFirst();
  return twin?.frame ?? null;
}
