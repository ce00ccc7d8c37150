/** Film and contact sheet of a job that has ended, once more: a site whose frames they lack answers again. */
import type { JobReference } from './contract.ts';
import { makeOutputs } from './finish.ts';

/** Makes both anew, with the manifest that names them. What is still away leaves its gaps, as it did before. */
export async function assembleAgain(job: JobReference): Promise<void> {
  await makeOutputs(job, new Set());
}
