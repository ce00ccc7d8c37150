/** Where `--to` sends frames: a folder, or `s3://bucket/prefix`. */
import { resolve } from 'node:path';
import { isBucketAddress, openBucket } from '../sdk/delivery/bucketAddress.ts';
import { refuse } from '../sdk/errors.ts';
import type { PullTarget } from '../sdk/pull.ts';
import type { JobView } from '../sdk/types.ts';

export interface TargetFlags {
  to?: string;
  toEndpoint?: string;
}

/** `<shot>_v<version>` in the current folder. */
function defaultFolder(job: JobView): string {
  return resolve(`${job.name.replace(/[^\p{L}\p{N}._-]+/gu, '_')}_v${job.version ?? 1}`);
}

/**
 * The bucket that `--to` names, reached, or null where it names a folder.
 * @throws FarmApiError what the bucket answers; `SettingInvalid` for `--to-endpoint` without a bucket
 */
export async function bucketOf({ to, toEndpoint }: TargetFlags): Promise<PullTarget | null> {
  if (to !== undefined && isBucketAddress(to)) return { bucket: await openBucket(to, { endpoint: toEndpoint }) };
  if (toEndpoint === undefined) return null;
  throw refuse('SettingInvalid', '--to-endpoint is for a bucket.', 'Give --to s3://bucket/prefix with it.', {
    setting: 'to-endpoint',
  });
}

/** The folder that `--to` names, or one named after the shot. */
export const folderOf = ({ to }: TargetFlags, job: JobView): PullTarget => ({
  folder: resolve(to ?? defaultFolder(job)),
});

/** The command that takes what is left of a job, to be typed into a shell. */
export function pullCommand(job: string, target: PullTarget, { toEndpoint }: TargetFlags): string {
  const endpoint = toEndpoint === undefined ? '' : ` --to-endpoint ${shellWord(toEndpoint)}`;
  return `farm pull ${job} --wait --to ${shellWord(targetText(target))}${endpoint}`;
}

const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** For people and `--json`. */
export const targetText = ({ folder, bucket }: PullTarget): string =>
  bucket ? `s3://${bucket.bucket}/${bucket.prefix}` : folder;
