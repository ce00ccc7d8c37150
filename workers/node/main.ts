/**
 * Process entry of a render node. Settings come from the environment; nothing of the farm's own services is known here.
 *
 * | variable | meaning |
 * |---|---|
 * | FARM_GATEWAY_URL | where the farm answers; required |
 * | FARM_JOIN_TOKEN | what the farm's operator handed out; required |
 * | FARM_NODE_NAME | unique in the farm; default the host's name |
 * | FARM_NODE_HOME | folder for key, cache and tally; default `.farm-node` below the current folder |
 * | FARM_NODE_KEY | the node's private key, hex; default: made once and kept in the folder |
 * | FARM_NODE_THREADS | threads to render with; default all of the machine |
 * | FARM_NODE_CACHE | folder of the cache, which all nodes of a host may share; default below FARM_NODE_HOME |
 * | FARM_NODE_CACHE_BYTES | bound of the cache of project data; default 20 GiB |
 * | FARM_NODE_SITE | name of the site; default `local` |
 * | FARM_TIER | what it traces on and offers: `auto` (default), `cpu` or `gpu` |
 * | FARM_NODE_ENGINE | `pathtracer` (default), or `replay`: hands out frames traced beforehand, for measurements |
 * | FARM_NODE_REPLAY | folder of those frames |
 * | FARM_NODE_REPLAY_SECONDS | how long a replayed frame takes; default 1 |
 * | FARM_PARENT_WATCH | `1`: ends when the parent process does (its IPC channel or our standard input closes) |
 * | FARM_LOG_LEVEL | pino level, default `info` |
 */
import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import { pino } from 'pino';
import { FarmError, toProblem } from '../../domain/errors.ts';
import { createGatewayClient } from '../../ports/gateway/client.ts';
import type { RenderEngine } from '../../renderer/engine.ts';
import { nodeTier } from '../../renderer/pathtracer/nodeTier.ts';
import { runAgent } from './agent.ts';
import { loadIdentity } from './identity.ts';

const env = process.env;
const log = pino({ level: env.FARM_LOG_LEVEL || 'info', base: { process: 'node', node: nodeName() } });
const shutdown = new AbortController();
const end = (why: string): void => {
  if (shutdown.signal.aborted) return;
  log.info({ why }, 'ending');
  shutdown.abort(new Error(`the node ends: ${why}`));
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(signal));
if (env.FARM_PARENT_WATCH === '1') watchParent();

try {
  const home = resolve(env.FARM_NODE_HOME || '.farm-node');
  await runAgent(
    {
      gateway: createGatewayClient(required('FARM_GATEWAY_URL')),
      engine: await openEngine(env.FARM_NODE_ENGINE || 'pathtracer'),
      identity: await loadIdentity(home, env.FARM_NODE_KEY || undefined),
      name: nodeName(),
      site: env.FARM_NODE_SITE || 'local',
      joinToken: required('FARM_JOIN_TOKEN'),
      home,
      threads: wholeNumber('FARM_NODE_THREADS', availableParallelism(), 1, 1_024),
      tier: nodeTier(),
      cacheFolder: env.FARM_NODE_CACHE ? resolve(env.FARM_NODE_CACHE) : undefined,
      cacheBytes: wholeNumber('FARM_NODE_CACHE_BYTES', 20 * 2 ** 30, 1, Number.MAX_SAFE_INTEGER),
      log,
    },
    shutdown.signal,
  );
  process.exit(0);
} catch (error) {
  log.fatal({ problem: toProblem(error), err: error }, 'the node cannot run');
  process.exit(1);
}

/** However the parent ends, the kernel closes its end of the channel or pipe. */
function watchParent(): void {
  const gone = (): void => end('the parent is gone');
  if (process.channel) {
    process.on('disconnect', gone);
    return;
  }
  process.stdin.on('end', gone).on('close', gone).on('error', gone).resume();
}

/** Only the engine that is used is loaded. */
async function openEngine(name: string): Promise<RenderEngine> {
  if (name === 'pathtracer') return (await import('../../renderer/pathtracer/engine.ts')).createPathTracerEngine();
  if (name === 'replay') {
    const { createReplayEngine } = await import('../../renderer/replay/engine.ts');
    const renderSeconds = Number(env.FARM_NODE_REPLAY_SECONDS || 1);
    if (!(renderSeconds >= 0)) {
      throw new FarmError('SettingInvalid', 'FARM_NODE_REPLAY_SECONDS must be a number of seconds from 0.', {
        variable: 'FARM_NODE_REPLAY_SECONDS',
      });
    }
    return createReplayEngine({ folder: required('FARM_NODE_REPLAY'), renderSeconds });
  }
  throw new FarmError('SettingInvalid', `FARM_NODE_ENGINE must be "pathtracer" or "replay", not "${name}".`, {
    variable: 'FARM_NODE_ENGINE',
  });
}

function nodeName(): string {
  return (
    env.FARM_NODE_NAME ||
    hostname()
      .replace(/[^a-zA-Z0-9._-]/g, '-')
      .slice(0, 63) ||
    'node'
  );
}

function required(name: string): string {
  const value = env[name];
  if (value) return value;
  throw new FarmError('SettingInvalid', `${name} is not set in the environment.`, { variable: name });
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
