/** A studio's own bucket: its address, how it is reached, and what it answers when it will not take anything. */
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Client } from 'minio';
import { FarmApiError, refuse } from '../errors.ts';

export interface BucketAddress {
  bucket: string;
  /** In front of every name; empty or ending with a slash. */
  prefix: string;
}

export interface BucketReach {
  /** URL of the S3; default `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else Amazon's for the region. */
  endpoint?: string | undefined;
  /** Where `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` come from. */
  environment?: Record<string, string | undefined>;
}

export interface OpenBucket extends BucketAddress {
  client: Client;
  /** For messages. */
  endpoint: string;
  /** Breaks off all requests that are on their way; others may follow. */
  hangUp(): void;
}

/** Whether a target is a bucket and no folder. */
export const isBucketAddress = (target: string): boolean => /^s3:\/\//i.test(target);

/** Of `s3://bucket/prefix`. @throws FarmApiError `SettingInvalid` */
export function parseBucketAddress(target: string): BucketAddress {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/?(.*)$/i.exec(target) ?? [];
  const invalid = (why: string) =>
    refuse('SettingInvalid', `"${target}" ${why}.`, 'Write it as s3://bucket/prefix.', { setting: 'to' });
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw invalid('names no bucket');
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.some((part) => part === '.' || part === '..')) throw invalid('has a "." or ".." in its prefix');
  return { bucket, prefix: parts.map((part) => `${part}/`).join('') };
}

/**
 * Reaches the bucket, so that a mistake shows before anything is rendered.
 * @throws FarmApiError `SettingInvalid` for a bad address or missing credentials, `Forbidden` when they are not right,
 * `NotFound` for a missing bucket, `StoreFailed` when nobody answers
 */
export async function openBucket(target: string, { endpoint: asked, environment = process.env }: BucketReach = {}) {
  const address = parseBucketAddress(target);
  const { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey } = environment;
  if (!accessKey || !secretKey) {
    const missing = accessKey ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID';
    const remedy = 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key that may write to the bucket.';
    throw refuse('SettingInvalid', `${missing} is not set, so nothing can be put into ${target}.`, remedy, {
      setting: missing,
    });
  }
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1';
  const named = asked || environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL;
  const endpoint = named || `https://s3.${region}.amazonaws.com`;
  const url = endpointUrl(endpoint);
  const sessionToken = environment.AWS_SESSION_TOKEN;
  // Loaded for a bucket only: the other commands would wait for it, too.
  const { Client } = await import('minio');
  const useSSL = url.protocol === 'https:';
  const transportAgent = new (useSSL ? SecureAgent : Agent)({ keepAlive: true });
  const client = new Client({
    endPoint: url.hostname,
    ...(url.port ? { port: Number(url.port) } : {}),
    ...{ useSSL, transportAgent, accessKey, secretKey, region },
    ...(sessionToken ? { sessionToken } : {}),
    // Amazon wants the bucket in the host's name, others in the path.
    pathStyle: named !== undefined,
  });
  const bucket: OpenBucket = { ...address, client, endpoint, hangUp: () => transportAgent.destroy() };
  const exists = await client.bucketExists(address.bucket).catch((error: unknown) => {
    throw bucketProblem(bucket, error);
  });
  if (!exists) throw bucketProblem(bucket, Object.assign(new Error('no such bucket'), { code: 'NoSuchBucket' }));
  return bucket;
}

function endpointUrl(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw refuse('SettingInvalid', `"${endpoint}" is no address of an S3.`, 'Write it as https://s3.example.com.', {
    setting: 'to-endpoint',
  });
}

const DENIED = new Set(['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken']);

/** What the bucket answered, as one clear error. */
export function bucketProblem(
  { bucket, endpoint }: Pick<OpenBucket, 'bucket' | 'endpoint'>,
  error: unknown,
  file?: string,
): FarmApiError {
  if (error instanceof FarmApiError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const place = { bucket, endpoint, ...(file === undefined ? {} : { file }) };
  const what = file === undefined ? `The bucket "${bucket}"` : `"${file}" in the bucket "${bucket}"`;
  if (DENIED.has(code)) {
    return new FarmApiError({
      ...{ code: 'Forbidden', place, status: 403 },
      detail: `${what} is refused to these credentials (${code}).`,
      remedy: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key that may list, read and write there.',
    });
  }
  if (code === 'NoSuchBucket') {
    return new FarmApiError({
      ...{ code: 'NotFound', place, status: 404 },
      detail: `There is no bucket "${bucket}" at ${endpoint}.`,
      remedy: 'Make the bucket, or name another one; --to-endpoint says where it is.',
    });
  }
  const why = error instanceof Error && error.message !== '' ? error.message : String(error);
  return new FarmApiError(
    {
      ...{ code: 'StoreFailed', place, status: 502 },
      detail: `${what} could not be reached at ${endpoint}: ${code || why}.`,
      remedy: 'Look at --to-endpoint and the network, and pull again: what is there already is not sent twice.',
    },
    { cause: error },
  );
}
