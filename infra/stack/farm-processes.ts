/** The farm's own processes: workers, API and nodes. One that dies is started again, later each time it dies young. */
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { environmentVariables, type FarmEnvironment } from './environment.ts';
import type { Keeper } from './keeper.ts';
import { explainExit, lastLines, type ManagedProcess, startProcess } from './managed-process.ts';
import { signalGroup } from './process-table.js';
import { PROGRAM_FLAGS } from './program-flags.ts';

/** `restarting`: it died and waits for its next start. `down`: somebody ended it and wants it down. */
export type ProcessState = 'starting' | 'running' | 'restarting' | 'down';

export interface ProcessStatus {
  name: string;
  role: 'worker' | 'api' | 'node';
  state: ProcessState;
  pid: number | undefined;
  /** How often it was started again after it died. */
  restarts: number;
  /** Why it died last. */
  lastExit: string | undefined;
  logPath: string;
}

interface Definition {
  name: string;
  role: ProcessStatus['role'];
  /** Path below `dist/`. */
  entry: string;
  env: Record<string, string>;
}

/** A process that stays up this long counts as healthy: its next death starts the waiting from the beginning. */
const HEALTHY_MS = 60_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;
const READY_TIMEOUT_MS = 60_000;
/** A node says nothing to us: it knocks at the gateway by itself, now and whenever the gateway was away. */
const NODE_SETTLED_MS = 500;

/** What the supervisor knows and no process of the farm needs. */
const HELD_BACK = new Set([
  'FARM_DATABASE_URL',
  'FARM_DATABASE_URL_OWNER',
  'FARM_ATTACHED',
  'FARM_VOLATILE',
  'FARM_NODES',
]);

/**
 * Workers and API with all settings, nodes with the gateway's address and little else.
 * @param variables the supervisor's environment: settings that single processes read (`FARM_SELLER`, `FARM_POLICY`, …)
 *   travel on to workers and API, those that begin with `FARM_NODE_` to the nodes
 */
export function farmDefinitions(
  environment: FarmEnvironment,
  nodes: number,
  variables: NodeJS.ProcessEnv,
): Definition[] {
  const settings = Object.entries(variables).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith('FARM_') && entry[1] !== undefined && !HELD_BACK.has(entry[0]),
  );
  const ofNodes = ([name]: [string, string]) => name.startsWith('FARM_NODE_');
  const env = {
    ...Object.fromEntries(settings.filter((entry) => !ofNodes(entry))),
    // Only migrations use the owner's role.
    ...environmentVariables({ ...environment, database: { ...environment.database, owner: undefined } }),
  };
  const nodeSettings = Object.fromEntries(settings.filter(ofNodes));
  const worker = (name: string): Definition => ({ name, role: 'worker', entry: `workers/${name}/main.js`, env });
  const threads = Math.max(1, Math.floor(cpus().length / Math.max(1, nodes)));
  return [
    { name: 'api', role: 'api', entry: 'farm-ui/api/main.js', env },
    worker('control'),
    worker('dispatch'),
    worker('settle'),
    ...Array.from({ length: nodes }, (_, index) =>
      nodeDefinition(environment, `node-${index + 1}`, threads, nodeSettings),
    ),
  ];
}

function nodeDefinition(
  environment: FarmEnvironment,
  name: string,
  threads: number,
  settings: Record<string, string>,
): Definition {
  const folder = join(environment.home, 'nodes', name);
  mkdirSync(folder, { recursive: true });
  return {
    name,
    role: 'node',
    entry: 'workers/node/main.js',
    env: {
      FARM_NODE_THREADS: String(threads),
      ...settings,
      FARM_GATEWAY_URL: environment.api.gatewayUrl,
      FARM_JOIN_TOKEN: environment.api.joinToken,
      FARM_NODE_NAME: name,
      FARM_NODE_HOME: folder,
      FARM_PARENT_WATCH: '1',
      FARM_LOG_LEVEL: environment.logLevel,
    },
  };
}

/** One of the farm's processes, kept running. */
export class FarmProcess {
  readonly #definition: Definition;
  readonly #distFolder: string;
  readonly #logPath: string;
  readonly #keeper: Keeper;
  readonly #log: (line: string) => void;
  #state: ProcessState = 'down';
  #process: ManagedProcess | undefined;
  #restarts = 0;
  #youngDeaths = 0;
  #lastExit: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    definition: Definition,
    context: { distFolder: string; home: string; keeper: Keeper; log: (line: string) => void },
  ) {
    this.#definition = definition;
    this.#distFolder = context.distFolder;
    this.#logPath = join(context.home, 'logs', `${definition.name}.log`);
    this.#keeper = context.keeper;
    this.#log = context.log;
  }

  get name(): string {
    return this.#definition.name;
  }

  get role(): ProcessStatus['role'] {
    return this.#definition.role;
  }

  status(): ProcessStatus {
    return {
      name: this.name,
      role: this.role,
      state: this.#state,
      pid: this.#process?.pid,
      restarts: this.#restarts,
      lastExit: this.#lastExit,
      logPath: this.#logPath,
    };
  }

  /** Starts it and waits until it says that it is ready. @throws FarmError `ServiceFailed` with the last lines of its log. */
  async start(): Promise<void> {
    if (this.#state === 'running' || this.#state === 'starting') return;
    clearTimeout(this.#timer);
    this.#state = 'starting';
    const startedAt = Date.now();
    const { name, entry, env } = this.#definition;
    const process_ = await startProcess(
      {
        name,
        command: process.execPath,
        args: [...PROGRAM_FLAGS, join(this.#distFolder, entry)],
        env: { ...env, NODE_ENV: 'production' },
        logPath: this.#logPath,
        ipc: true,
      },
      this.#keeper,
    );
    this.#process = process_;
    process_.exited.then(() => this.#onExit(process_, startedAt));
    await this.#untilReady(process_);
    if (this.#process === process_ && this.#state === 'starting') this.#state = 'running';
  }

  /** Ends it in order and leaves it down. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#state = 'down';
    await this.#process?.stop();
  }

  /** `kill -9`, and leaves it down. @returns the id of the process that was ended. */
  async kill(): Promise<number> {
    const victim = this.#process;
    if (!victim) throw new FarmError('NotFound', `${this.name} is not running.`, { process: this.name });
    clearTimeout(this.#timer);
    this.#state = 'down';
    signalGroup(victim.pid, 'SIGKILL');
    await victim.exited;
    return victim.pid;
  }

  async #untilReady(started: ManagedProcess): Promise<void> {
    const ready = new Promise<'ready'>((resolve) => {
      if (this.role === 'node') setTimeout(() => resolve('ready'), NODE_SETTLED_MS);
      started.child.on('message', (message) => {
        if ((message as { type?: string } | null)?.type === 'ready') resolve('ready');
      });
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), READY_TIMEOUT_MS);
    });
    const first = await Promise.race([ready, late, started.exited]);
    clearTimeout(timer);
    if (this.#state === 'down')
      throw new FarmError('Cancelled', `${this.name} was ended while it started.`, { process: this.name });
    if (first === 'ready') return;
    if (first !== 'late') throw explainExit(started);
    throw new FarmError(
      'ServiceFailed',
      `${this.name} did not get ready within ${READY_TIMEOUT_MS / 1000} s.${lastLines(started.logPath)}`,
      {
        process: this.name,
      },
    );
  }

  #onExit(ended: ManagedProcess, startedAt: number): void {
    if (this.#process === ended) this.#process = undefined;
    if (this.#state === 'down') return;
    this.#lastExit = explainExit(ended).message;
    this.#youngDeaths = Date.now() - startedAt > HEALTHY_MS ? 0 : this.#youngDeaths + 1;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#youngDeaths);
    this.#log(`${this.#lastExit} Starting again in ${wait / 1000} s.`);
    this.#state = 'restarting';
    this.#timer = setTimeout(() => {
      this.#restarts += 1;
      this.start().catch((error) => this.#log(`${this.name}: ${error.message}`));
    }, wait);
  }
}
