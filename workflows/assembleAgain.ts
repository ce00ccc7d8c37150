/** Film and contact sheet of a job that has ended, once more: a site whose frames they lack answers again. */
import type { AssembleAgainInput } from './contract.ts';
import { type AwaySites, noteAway } from './finish.ts';
import { delivery } from './stages.ts';

/** Makes both anew, and the manifest that names them, also where only one of them came about. */
export async function assembleAgain({ away, ...job }: AssembleAgainInput): Promise<void> {
  const { makeContactSheet, makeFilm, writeManifest } = delivery();
  const lacking: AwaySites = new Set();
  let isDone = false;
  try {
    noteAway(lacking, await makeContactSheet({ ...job, away }));
    noteAway(lacking, await makeFilm({ ...job, away }));
    isDone = true;
  } finally {
    await writeManifest(isDone ? { ...job, away: [...lacking] } : job);
  }
}
