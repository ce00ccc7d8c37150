/** Film and contact sheet of a job that has ended, once more: a site whose frames they lack answers again. */
import type { AssembleAgainInput } from './contract.ts';
import { makePictures } from './finish.ts';
import { delivery } from './stages.ts';

/** Makes both anew, and the manifest that names them, also where only one of them came about. */
export async function assembleAgain({ away, ...job }: AssembleAgainInput): Promise<void> {
  let lacking: Set<string> | null = null;
  try {
    lacking = await makePictures(job, away);
  } finally {
    await delivery().writeManifest(lacking ? { ...job, away: [...lacking] } : job);
  }
}
