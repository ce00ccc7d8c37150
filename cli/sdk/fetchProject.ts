/** Brings the files that a job renders from back to a folder, each checked by its hash. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { FarmClient } from './client.ts';
import { refuse } from './errors.ts';

/**
 * @param folder absolute, empty
 * @returns path of the scene file in it, relative
 * @throws FarmApiError `HashMismatch` when the store gives other bytes, `NotFound` when it gives none
 */
export async function fetchProject(client: FarmClient, jobId: string, folder: string): Promise<string> {
  let cursor: string | undefined;
  for (;;) {
    const page = await client.projectFiles(jobId, cursor);
    for (const { path, hash, url } of page.items) {
      const target = resolve(folder, ...path.split('/'));
      if (!target.startsWith(folder + sep))
        throw refuse('NameInvalid', `"${path}" leads out of the folder.`, 'Report this.');
      const response = await fetch(url);
      if (!response.ok)
        throw refuse('NotFound', `The store has no "${path}" any more.`, 'Submit the job again.', { path });
      const bytes = Buffer.from(await response.arrayBuffer());
      if (createHash('sha256').update(bytes).digest('hex') !== hash) {
        throw refuse(
          'HashMismatch',
          `The store gave other bytes for "${path}".`,
          'Look at the store ("farm doctor").',
          { path },
        );
      }
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bytes);
    }
    if (page.nextCursor === null) return join(...page.main.split('/'));
    cursor = page.nextCursor;
  }
}
