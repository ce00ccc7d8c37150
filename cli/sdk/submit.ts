/** From files on disk to a quoted job: check, upload what the store lacks, create, prepare. */
import type { FarmClient } from './client.ts';
import { FarmApiError } from './errors.ts';
import type { Project } from './project.ts';
import type { JobRequest, JobView } from './types.ts';
import { memoryOf } from './upload/remembered.ts';
import { type UploadProgress, uploadFiles } from './upload/upload.ts';

/** What a submission says beside its files. */
export type SubmitOptions = Omit<JobRequest, 'name' | 'main' | 'files' | 'blobs'> & { name?: string | undefined };

export interface SubmitProgress {
  uploading(progress: UploadProgress): void;
  /** All bytes are there; the scene is being inspected and a node calibrates. */
  preparing(): void;
}

export interface SubmitConduct {
  /** File that remembers hashes of files between uploads (default: in the user's cache folder); null: none. */
  memory?: string | null | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Returns the job with its quote, status `quoted`. A submission that is refused leaves nothing behind; one that is broken
 * off goes on with what is missing when it is made again within a day.
 * @throws FarmApiError
 */
export async function submitProject(
  client: FarmClient,
  project: Project,
  options: SubmitOptions,
  progress?: SubmitProgress,
  { memory = memoryOf(project.root), signal }: SubmitConduct = {},
): Promise<JobView> {
  const wishes = { ...options, name: options.name ?? project.name, main: project.main };
  await client.checkJob({ ...wishes, files: project.files.map(({ path, sizeBytes }) => ({ path, sizeBytes })) });
  const onProgress = progress && ((state: UploadProgress) => progress.uploading(state));
  const uploaded = await uploadFiles(client, project.files, { memory, onProgress, signal });
  try {
    const created = await client.createJob({ ...wishes, files: uploaded.files, blobs: uploaded.blobs });
    await uploaded.sendAgain(created.missing);
    progress?.preparing();
    try {
      return await client.prepareJob(created.id);
    } catch (error) {
      // The farm had lost some of what it said it has, and notices now.
      if (!(error instanceof FarmApiError && error.code === 'UploadIncomplete')) throw error;
      if ((await uploaded.sendLost()) === 0) throw error;
      return await client.prepareJob(created.id);
    }
  } finally {
    await uploaded.close();
  }
}
