/** Looks at one uploaded frame before it is committed and billed. */
import type { Logger } from 'pino';
import type { Tx } from '../../ports/db/client.ts';
import type { UnitArtifact } from '../../ports/db/documents.ts';
import { verifyAtSite } from '../../ports/site/client.ts';
import type { SiteStore, SiteStores } from '../../ports/store/siteStores.ts';
import type { FrameInspectors } from './frameInspectors.ts';
import { damaged, type ExpectedFrame, type Verdict } from './judgeFrame.ts';
import { judgeStoredFrame, type StoredFrame } from './judgeStoredFrame.ts';

export interface UploadedFrame {
  studioId: string;
  jobId: string;
  unitId: string;
  frame: number;
  /** Site whose store holds the artifacts; null: home. */
  siteId: string | null;
  artifacts: readonly UnitArtifact[];
}

export interface VerifyTools {
  stores: SiteStores;
  inspectors: FrameInspectors;
  inRecord: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  log: Logger;
}

/**
 * Has the frame's EXR read where it lies, with its bytes checked against the announced hash, and judged: by the agent of
 * its site, or here where the site has none. A black frame or one that equals another of the job is accepted with a
 * warning. Throws only when store or database do not answer.
 */
export async function verifyFrame(tools: VerifyTools, frame: UploadedFrame, expected: ExpectedFrame): Promise<Verdict> {
  const { width, height, crop, output } = expected;
  const exr = frame.artifacts.find(({ kind }) => kind === 'exr');
  const preview = frame.artifacts.find(({ kind }) => kind === 'preview');
  const picture = frame.artifacts.find(({ kind }) => kind === 'picture');
  if (!exr || !preview) return damaged('It came without its EXR or preview.');
  if (output.picture !== 'png' && !picture) return damaged(`It came without its picture (${output.picture}).`);
  const stored: StoredFrame = {
    studioId: frame.studioId,
    exr: { hash: exr.hash, sizeBytes: exr.sizeBytes },
    preview: { hash: preview.hash, sizeBytes: preview.sizeBytes },
    ...(picture ? { picture: { hash: picture.hash, sizeBytes: picture.sizeBytes } } : {}),
  };
  const site = await tools.stores.of(frame.siteId);
  const verdict = await judgeAt(site, tools, stored, { width, height, crop, output });
  if (!verdict.accepted) return verdict;
  const twin = await tools.inRecord((tx) => frameWithSamePicture(tx, frame, exr.hash));
  if (twin !== null) {
    verdict.warnings.push({ code: 'Duplicate', message: `The frame equals frame ${twin}, bit for bit.` });
  }
  return verdict;
}

async function judgeAt(
  { store, agent, siteId }: SiteStore,
  { inspectors, log }: VerifyTools,
  stored: StoredFrame,
  expected: ExpectedFrame,
): Promise<Verdict> {
  if (agent) {
    try {
      return await verifyAtSite(agent, { ...stored, expected: { ...expected, output: { ...expected.output } } });
    } catch (error) {
      // The frame crosses the link twice then, and the job goes on.
      log.warn({ siteId, err: error }, 'the site agent does not verify; the frame is read through the store');
    }
  }
  return judgeStoredFrame({ store, inspectors }, stored, expected);
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
