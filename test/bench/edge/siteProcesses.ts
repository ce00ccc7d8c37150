/** What runs at one place of the lab: its object store, its agent and its nodes, each a process in the place's namespace. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { FarmError } from '../../../domain/errors.ts';
import { locate } from '../../../infra/bootstrap/locate.js';
import type { Lab } from '../../../infra/netlab/lab.ts';
import type { Keeper } from '../../../infra/stack/keeper.ts';
import { type ManagedProcess, startProcess, untilReady } from '../../../infra/stack/managed-process.ts';
import { distFolder } from '../../../infra/stack/paths.ts';
import { HEAP_FLAG } from '../../../infra/stack/program-flags.ts';
import { STORE_REGION, storeProgram } from '../../../infra/stack/store-program.ts';
import { createMinioStore } from '../../../ports/store/minioStore.ts';
import type { EdgeEngine } from './edgeReport.ts';
import type { StudioFarm } from './studioFarm.ts';

/** How the farm reaches a place's store and agent. */
export interface SiteAccess {
  endpoint: string;
  region: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  agentUrl: string;
  agentToken: string;
}

export interface NodeSettings {
  gatewayUrl: string;
  joinToken: string;
  /** Name of its site; default: the place's. */
  site?: string;
  /** Variables of `workers/node/main.ts` beside those. */
  variables: Record<string, string>;
}

/** Settings of a node of the benchmark. `renderSeconds` and `framesFolder` count for the engine `replay`. */
export function nodeSettings(
  { gatewayUrl, joinToken }: Pick<StudioFarm, 'gatewayUrl' | 'joinToken'>,
  { engine, framesFolder, renderSeconds }: { engine: EdgeEngine; framesFolder: string; renderSeconds: number },
): NodeSettings {
  const replay = { FARM_NODE_REPLAY: framesFolder, FARM_NODE_REPLAY_SECONDS: String(renderSeconds) };
  return {
    ...{ gatewayUrl, joinToken },
    variables: {
      ...{ FARM_NODE_THREADS: '1', FARM_NODE_ENGINE: engine, FARM_LOG_LEVEL: process.env.FARM_LOG_LEVEL ?? 'info' },
      ...(engine === 'replay' ? replay : {}),
    },
  };
}

const STORE_PORT = 9000;
const AGENT_PORT = 7070;
const BUCKET = 'farm';

export class SiteProcesses {
  readonly name: string;
  readonly access: SiteAccess;
  /** Cache of the place's nodes, which are one host's. */
  readonly cacheFolder: string;
  readonly #lab: Lab;
  readonly #keeper: Keeper;
  readonly #folder: string;
  readonly #running: ManagedProcess[] = [];
  readonly #nodes = new Set<ManagedProcess>();

  /** @param folder for its data and logs; made if it is not there */
  constructor(lab: Lab, keeper: Keeper, name: string, folder: string) {
    const { address } = lab.place(name);
    this.name = name;
    this.#lab = lab;
    this.#keeper = keeper;
    this.#folder = folder;
    this.cacheFolder = join(folder, 'cache');
    this.access = {
      ...{ endpoint: `http://${address}:${STORE_PORT}`, region: STORE_REGION, bucket: BUCKET },
      ...{ accessKey: randomBytes(10).toString('hex'), secretKey: randomBytes(24).toString('hex') },
      ...{ agentUrl: `http://${address}:${AGENT_PORT}`, agentToken: randomBytes(24).toString('hex') },
    };
  }

  async #start(name: string, command: string, args: string[], env: Record<string, string>, ours: boolean) {
    const inside = this.#lab.inside(this.name, command, args);
    const logPath = join(this.#folder, `${name}.log`);
    const spec = { name: `${name} of ${this.name}`, ...inside, env, cwd: this.#folder, logPath, ipc: ours };
    const started = await startProcess(spec, this.#keeper);
    // Not with the priority that the studio's process may have just now: `ownMachine.ts`.
    os.setPriority(started.pid, 0);
    this.#running.push(started);
    return started;
  }

  async #startOurs(name: string, entry: string, env: Record<string, string>): Promise<ManagedProcess> {
    return this.#start(
      name,
      process.execPath,
      [HEAP_FLAG, join(distFolder, entry)],
      { ...env, NODE_ENV: 'production' },
      true,
    );
  }

  /** Store and agent, until both answer across the link. */
  async startServices(): Promise<void> {
    mkdirSync(join(this.#folder, 'store'), { recursive: true });
    const minio = locate('minio');
    if (!minio) throw new FarmError('BinaryMissing', 'The MinIO server is not installed. Run "npm start" once.', {});
    const { endpoint, region, bucket, accessKey, secretKey, agentUrl, agentToken } = this.access;
    const { args, env } = storeProgram({
      ...{ folder: join(this.#folder, 'store'), configFolder: join(this.#folder, 'minio') },
      ...{ address: endpoint.replace('http://', ''), accessKey, secretKey },
    });
    // Ten stores share one disk here: what was just put is read from memory.
    // What is removed is gone soon: at full size it is half of the disk.
    const variables = { ...env, MINIO_API_ODIRECT: 'off', MINIO_API_DELETE_CLEANUP_INTERVAL: '5s' };
    const store = await this.#start('minio', minio.path, args, variables, false);
    await untilReady(store, () => answers(`${endpoint}/minio/health/ready`));
    await createMinioStore({ endpoint, region, bucket, accessKey, secretKey }).ensureBucket();
    const agent = await this.#startOurs('agent', 'workers/site/main.js', {
      ...{ FARM_SITE_S3_ENDPOINT: endpoint, FARM_SITE_S3_REGION: region, FARM_SITE_S3_BUCKET: bucket },
      ...{ FARM_SITE_S3_ACCESS_KEY: accessKey, FARM_SITE_S3_SECRET_KEY: secretKey },
      ...{ FARM_SITE_AGENT_TOKEN: agentToken, FARM_SITE_AGENT_PORT: String(AGENT_PORT) },
      FARM_SITE_AGENT_HOST: this.#lab.place(this.name).address,
    });
    await untilReady(agent, () => answers(`${agentUrl}/v1/health`));
  }

  /** One more node, under a name that no other has. It joins by itself. */
  async startNode(name: string, settings: NodeSettings): Promise<void> {
    const home = join(this.#folder, name);
    mkdirSync(home, { recursive: true });
    const started = await this.#startOurs(name, 'workers/node/main.js', {
      ...settings.variables,
      ...{ FARM_GATEWAY_URL: settings.gatewayUrl, FARM_JOIN_TOKEN: settings.joinToken },
      ...{
        FARM_NODE_CACHE: this.cacheFolder,
        FARM_NODE_NAME: name,
        FARM_NODE_HOME: home,
        FARM_NODE_SITE: settings.site ?? this.name,
        FARM_PARENT_WATCH: '1',
      },
    });
    this.#nodes.add(started);
  }

  /** Removes a studio's frames from its store. */
  async removeFrames(studioId: string): Promise<void> {
    const { endpoint, region, bucket, accessKey, secretKey } = this.access;
    const store = createMinioStore({ endpoint, region, bucket, accessKey, secretKey });
    for await (const { hash } of store.list(studioId, 'frames')) await store.remove(studioId, 'frames', hash);
  }

  /** Ends everything, nodes first. */
  async stop(): Promise<void> {
    await Promise.all([...this.#nodes].map((node) => node.stop()));
    await Promise.all(this.#running.map((service) => service.stop()));
  }
}

async function answers(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(5000) })).ok;
}
