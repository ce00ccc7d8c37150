/** From files on disk to a quoted job: create, upload what the store lacks, prepare. */
import { openAsBlob } from 'node:fs';
import type { FarmClient } from './client.ts';
import { FarmApiError } from './errors.ts';
import type { Project } from './project.ts';
import type { JobRequest, JobView } from './types.ts';

/** What a submission says beside its files. */
export type SubmitOptions = Omit<JobRequest, 'name' | 'main' | 'files'> & { name?: string | undefined };

export interface SubmitProgress {
  /** Bytes that the store lacked, and how many of them are sent. */
  uploading(sentBytes: number, totalBytes: number): void;
  /** All bytes are there; the scene is being inspected and a node calibrates. */
  preparing(): void;
}

const PARALLEL_UPLOADS = 4;

/** Returns the job with its quote, status `quoted`. Throws `FarmApiError`; a refused submission leaves nothing behind. */
export async function submitProject(
  client: FarmClient,
  project: Project,
  options: SubmitOptions,
  progress?: SubmitProgress,
): Promise<JobView> {
  const created = await client.createJob({
    ...options,
    name: options.name ?? project.name,
    main: project.main,
    files: project.files.map(({ path, sizeBytes, hash }) => ({ path, sizeBytes, hash })),
  });
  const byHash = new Map(project.files.map((file) => [file.hash, file]));
  const total = created.missing.reduce((sum, { hash }) => sum + (byHash.get(hash)?.sizeBytes ?? 0), 0);
  let sent = 0;
  progress?.uploading(0, total);
  const queue = [...created.missing];
  const worker = async (): Promise<void> => {
    for (let blob = queue.shift(); blob; blob = queue.shift()) {
      const file = byHash.get(blob.hash)!;
      await upload(file.source, blob.url, blob.headers, file.path);
      sent += file.sizeBytes;
      progress?.uploading(sent, total);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_UPLOADS }, worker));
  progress?.preparing();
  return client.prepareJob(created.id);
}

const ATTEMPTS = 4;

async function upload(source: string, url: string, headers: Record<string, string>, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let why: string;
    try {
      const response = await fetch(url, { method: 'PUT', headers, body: await openAsBlob(source) });
      if (response.ok) return;
      why = `${response.status} ${(await response.text()).slice(0, 200)}`;
      // The address binds the hash: other bytes are refused, and sending them again would not help.
      if (response.status === 400 || response.status === 403) attempt = ATTEMPTS;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    if (attempt >= ATTEMPTS) {
      throw new FarmApiError({
        code: 'HashMismatch',
        detail: `The store did not take "${path}": ${why}`,
        place: { path },
        remedy: 'If the file changed meanwhile, submit again; else look at the store ("farm doctor").',
        status: 422,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
  }
}
