/** One whole farm in this process: services, schema, contracts, first studio, then the farm's own processes. */
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { deployContracts } from './deploy.ts';
import type { FarmEnvironment } from './environment.ts';
import { FarmProcess, farmDefinitions, type ProcessStatus } from './farm-processes.ts';
import { migrate } from './migrate.ts';
import { distFolder } from './paths.ts';
import { seed } from './seed.ts';
import type { ServiceName } from './service.ts';
import { type RunningStack, startStack } from './stack.ts';
import { ensureBucket } from './store-bucket.ts';
import { type OpenedStudio, openStudio } from './studios.ts';

export type FarmPhase = 'starting' | 'running' | 'stopping';

/** What `farm status` shows. */
export interface FarmStatus {
  phase: FarmPhase;
  home: string;
  /** Process id of the supervisor. */
  pid: number;
  startedAt: string;
  /** Address of the page and the API; empty until the ports are known. */
  url: string;
  /** Address of Temporal's own page; empty when Temporal runs elsewhere. */
  temporalUrl: string;
  services: ServiceStatus[];
  processes: ProcessStatus[];
}

interface ServiceStatus {
  name: ServiceName;
  title: string;
  address: string;
  /** True when its address was given in the environment. */
  external: boolean;
  pid: number | undefined;
  state: 'running' | 'failed';
}

/** One step of a start, as it begins and ends. */
export interface StartProgress {
  /** `temporal`, `store`, `database`, `chain`, `schema`, `contracts`, `studio`, or the name of a process. */
  step: string;
  phase: 'starting' | 'running' | 'failed';
}

export interface FarmOptions {
  home: string;
  variables: NodeJS.ProcessEnv;
  /** How many nodes of its own it starts. */
  nodes: number;
  /** For tests: services do not wait for the disk. */
  volatile: boolean;
  onProgress: (progress: StartProgress) => void;
  log: (line: string) => void;
}

export class Farm {
  readonly #options: FarmOptions;
  readonly #startedAt = new Date();
  #phase: FarmPhase = 'starting';
  #stack: RunningStack | undefined;
  #environment: FarmEnvironment | undefined;
  #processes: FarmProcess[] = [];

  constructor(options: FarmOptions) {
    this.#options = options;
  }

  /** Starts everything. @throws FarmError with the reason; what had been started is stopped again by `stop`. */
  async start(): Promise<void> {
    const { home, variables, nodes, volatile, onProgress, log } = this.#options;
    const stack = await startStack({
      home,
      variables,
      volatile,
      onService: (step, phase) => onProgress({ step, phase }),
    });
    this.#stack = stack;
    for (const service of [stack.temporal, stack.store, stack.database, stack.chain]) {
      service.process?.exited.then((exit) => {
        if (this.#phase !== 'stopping')
          log(`${service.title} ended with ${exit.signal ?? `code ${exit.code}`}; the farm needs a restart.`);
      });
    }
    const { credentials } = stack.state;
    const schema = await this.#step('schema', () =>
      migrate(stack.database.adminUrl, {
        owner: credentials.databaseOwner,
        app: credentials.databaseApp,
        service: credentials.databaseService,
      }),
    );
    const environment = await this.#buildEnvironment(stack, schema);
    this.#environment = environment;
    await this.#step('store', () => ensureBucket(environment.store));
    const deployment = await this.#step('contracts', () => deployContracts(environment));
    await this.#step('studio', () => seed(environment, deployment));
    const context = { distFolder, home, keeper: stack.keeper, log };
    this.#processes = farmDefinitions(environment, nodes, variables).map(
      (definition) => new FarmProcess(definition, context),
    );
    const begin = (process: FarmProcess) => this.#step(process.name, () => process.start());
    await Promise.all(this.#processes.filter(({ role }) => role !== 'node').map(begin));
    // Nodes knock at the gateway, so they come last.
    await Promise.all(this.#processes.filter(({ role }) => role === 'node').map(begin));
    this.#phase = 'running';
  }

  status(): FarmStatus {
    const stack = this.#stack;
    const uiPort = stack?.temporal.process && !this.#options.volatile ? stack.state.ports.temporalUi : undefined;
    return {
      phase: this.#phase,
      home: this.#options.home,
      pid: process.pid,
      startedAt: this.#startedAt.toISOString(),
      url: this.#environment?.api.url ?? '',
      temporalUrl: uiPort ? `http://127.0.0.1:${uiPort}` : '',
      services: stack
        ? [stack.temporal, stack.store, stack.database, stack.chain].map(({ name, title, address, process }) => ({
            name,
            title,
            address,
            external: !process,
            pid: process?.pid,
            state: process?.exit ? 'failed' : 'running',
          }))
        : [],
      processes: this.#processes.map((process) => process.status()),
    };
  }

  /** Ends one of the farm's processes with `kill -9`. @returns its process id. */
  async kill(name: string): Promise<number> {
    return this.#find(name).kill();
  }

  /** Opens a studio; its key is in the answer and nowhere else. */
  async openStudio(input: { slug: string; name: string; currency: string }): Promise<OpenedStudio> {
    if (!this.#environment || this.#phase !== 'running') {
      throw new FarmError('StackNotRunning', 'The farm is not up yet.');
    }
    return openStudio(this.#environment, input);
  }

  /** Starts a process that is down. */
  async startProcess(name: string): Promise<void> {
    await this.#find(name).start();
  }

  /** Stops everything in order: nodes, API, workers, services. */
  async stop(): Promise<void> {
    this.#phase = 'stopping';
    const stopAll = (role: ProcessStatus['role']) =>
      Promise.all(this.#processes.filter((process) => process.role === role).map((process) => process.stop()));
    await stopAll('node');
    await stopAll('api');
    await stopAll('worker');
    await this.#stack?.stop();
  }

  #find(name: string): FarmProcess {
    const found = this.#processes.find((process) => process.name === name);
    if (found) return found;
    const names = this.#processes.map((process) => process.name).join(', ');
    throw new FarmError('NotFound', `This farm has no process "${name}"; it has ${names || 'none yet'}.`, {
      process: name,
    });
  }

  async #step<T>(step: string, work: () => Promise<T>): Promise<T> {
    const { onProgress } = this.#options;
    onProgress({ step, phase: 'starting' });
    try {
      const result = await work();
      onProgress({ step, phase: 'running' });
      return result;
    } catch (error) {
      onProgress({ step, phase: 'failed' });
      throw error;
    }
  }

  async #buildEnvironment(
    stack: RunningStack,
    schema: { owner: string; app: string; service: string },
  ): Promise<FarmEnvironment> {
    const { home, variables } = this.#options;
    const { credentials } = stack.state;
    const port = await stack.port('api', 'the API', 'FARM_API_PORT');
    const url = variables.FARM_API_URL || `http://127.0.0.1:${port}`;
    const external = { store: !stack.store.process, chain: !stack.chain.process };
    return {
      home,
      temporal: { address: stack.temporal.address, namespace: variables.FARM_TEMPORAL_NAMESPACE || 'default' },
      store: {
        endpoint: stack.store.address,
        accessKey: given(external.store, 'FARM_S3_ACCESS_KEY', variables, credentials.storeAccessKey),
        secretKey: given(external.store, 'FARM_S3_SECRET_KEY', variables, credentials.storeSecretKey),
        region: variables.FARM_S3_REGION || 'us-east-1',
        bucket: variables.FARM_S3_BUCKET || 'farm',
      },
      database: schema,
      chain: {
        rpc: stack.chain.address,
        chainId: Number(variables.FARM_CHAIN_ID || 31_337),
        mnemonic: given(external.chain, 'FARM_CHAIN_MNEMONIC', variables, credentials.chainMnemonic),
        deployment: variables.FARM_DEPLOYMENT || join(home, 'chain', 'deployment.json'),
      },
      api: {
        port,
        host: variables.FARM_API_HOST || '127.0.0.1',
        url,
        gatewayUrl: variables.FARM_GATEWAY_URL || url,
        joinToken: variables.FARM_JOIN_TOKEN || credentials.joinToken,
      },
      logLevel: variables.FARM_LOG_LEVEL || 'info',
    };
  }
}

/** A service that somebody else runs has credentials that only the environment knows. */
function given(external: boolean, name: string, variables: NodeJS.ProcessEnv, own: string): string {
  if (!external) return own;
  const value = variables[name];
  if (value) return value;
  throw new FarmError('SettingInvalid', `${name} must be set for a service that runs elsewhere.`, { variable: name });
}
