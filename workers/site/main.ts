/**
 * Process entry of a site agent. The site's operator runs it beside the site's store; it knows that store and the secret
 * it shares with the farm, and nothing else of the farm.
 *
 * | variable | meaning |
 * |---|---|
 * | FARM_SITE_S3_ENDPOINT | URL of the site's S3 as it is reached from here; required |
 * | FARM_SITE_S3_BUCKET | required |
 * | FARM_SITE_S3_ACCESS_KEY, FARM_SITE_S3_SECRET_KEY | may read the bucket; required |
 * | FARM_SITE_S3_REGION | default `us-east-1` |
 * | FARM_SITE_AGENT_TOKEN | secret shared with the farm, at least 16 characters; required |
 * | FARM_SITE_AGENT_HOST | address to listen on; default `127.0.0.1` |
 * | FARM_SITE_AGENT_PORT | default `7070` |
 * | FARM_SITE_AGENT_THREADS | frames looked at a time; default half of the cores, at least 1, at most 4 |
 * | FARM_LOG_LEVEL | pino level, default `info` |
 */
import { availableParallelism } from 'node:os';
import { pino } from 'pino';
import { FrameInspectors } from '../../activities/verify/frameInspectors.ts';
import { FarmError } from '../../domain/errors.ts';
import { runFarmProcess } from '../../infra/stack/farm-process.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { startSiteAgent } from './agent.ts';

const env = process.env;

await runFarmProcess(async () => {
  const log = pino({ level: env.FARM_LOG_LEVEL || 'info', base: { process: 'site-agent' } });
  const store = createMinioStore({
    endpoint: required('FARM_SITE_S3_ENDPOINT'),
    region: env.FARM_SITE_S3_REGION || 'us-east-1',
    bucket: required('FARM_SITE_S3_BUCKET'),
    accessKey: required('FARM_SITE_S3_ACCESS_KEY'),
    secretKey: required('FARM_SITE_S3_SECRET_KEY'),
  });
  await store.check();
  const threads = Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2)));
  const inspectors = new FrameInspectors(wholeNumber('FARM_SITE_AGENT_THREADS', threads, 1, 64));
  await inspectors.warmUp();
  const agent = await startSiteAgent({
    ...{ store, inspectors, log },
    token: secret('FARM_SITE_AGENT_TOKEN'),
    host: env.FARM_SITE_AGENT_HOST || '127.0.0.1',
    port: wholeNumber('FARM_SITE_AGENT_PORT', 7070, 0, 65_535),
  });
  log.info({ url: agent.url }, 'the site agent serves');
  return {
    stop: async () => {
      await agent.close();
      await inspectors.close();
    },
  };
});

function required(name: string): string {
  const value = env[name];
  if (value) return value;
  throw new FarmError('SettingInvalid', `${name} is not set in the environment.`, { variable: name });
}

function secret(name: string): string {
  const value = required(name);
  if (value.length >= 16) return value;
  throw new FarmError('SettingInvalid', `${name} is shorter than 16 characters.`, { variable: name });
}

function wholeNumber(name: string, standard: number, least: number, most: number): number {
  const text = env[name];
  if (!text) return standard;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new FarmError('SettingInvalid', `${name} must be a whole number from ${least} to ${most}, not "${text}".`, {
    variable: name,
  });
}
