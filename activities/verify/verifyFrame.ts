/** Looks at one uploaded frame before it is committed and billed. */
import type { Logger } from 'pino';
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
  log: Logger;
}

/**
 * Has the frame's EXR read where it lies, with its bytes checked against the announced hash, and judged: by the agent of
 * its site, or here where the site has none. A black frame is accepted with a warning. Throws only when the store does not
 * answer.
 */
export async function verifyFrame(tools: VerifyTools, frame: UploadedFrame, expected: ExpectedFrame): Promise<Verdict> {
  const { width, height, crop, output } = expected;
  const exr = frame.artifacts.find(({ kind }) => kind === 'exr');
  const preview = frame.artifacts.find(({ kind }) => kind === 'preview');
  const picture = frame.artifacts.find(({ kind }) => kind === 'picture');
  if (!exr || !preview) return damaged('It came without its EXR or preview.');
  // It would take the preview's name.
  if (output.picture === 'png' && picture) return damaged('It came with a picture that was not ordered.');
  if (output.picture !== 'png' && !picture) return damaged(`It came without its picture (${output.picture}).`);
  const stored: StoredFrame = {
    studioId: frame.studioId,
    exr: { hash: exr.hash, sizeBytes: exr.sizeBytes },
    preview: { hash: preview.hash, sizeBytes: preview.sizeBytes },
    ...(picture ? { picture: { hash: picture.hash, sizeBytes: picture.sizeBytes } } : {}),
  };
  const site = await tools.stores.of(frame.siteId);
  return judgeAt(site, tools, stored, { width, height, crop, output });
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
