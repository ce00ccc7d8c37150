/**
 * The settings that every farm process (control, dispatch, settle, api) receives, as environment variables, and the one
 * place that reads them. The supervisor writes them (`environmentVariables`), `docker-compose.yml` names the same ones.
 *
 * Render nodes are not farm processes. They get `FARM_GATEWAY_URL`, `FARM_JOIN_TOKEN`, `FARM_NODE_NAME`,
 * `FARM_NODE_HOME` (folder for their key and cache), `FARM_NODE_THREADS` and `FARM_LOG_LEVEL`, and nothing else of this.
 */
import { FarmError } from '../../domain/errors.ts';

/** Everything a farm process needs to reach the services and to know itself. */
export interface FarmEnvironment {
  /** Absolute folder of the farm's state on this machine (`FARM_HOME`). */
  home: string;
  temporal: {
    /** `host:port` of the frontend. */
    address: string;
    namespace: string;
  };
  store: {
    /** URL of the S3 API, `http://127.0.0.1:9000`. */
    endpoint: string;
    accessKey: string;
    secretKey: string;
    region: string;
    bucket: string;
  };
  database: {
    /** Role that owns the schema; only migrations use it. Absent in processes that do not migrate. */
    owner: string | undefined;
    /** Role of requests: row-level security applies. */
    app: string;
    /** Role of the farm's own background work. */
    service: string;
  };
  chain: {
    /** URL of the JSON-RPC endpoint. */
    rpc: string;
    chainId: number;
    /** BIP-39 phrase of the operator's and the demo's accounts. */
    mnemonic: string;
    /** Absolute path of the JSON file that the deployment of the contracts wrote. */
    deployment: string;
  };
  api: {
    /** TCP port the API listens on. */
    port: number;
    /** Address to listen on; loopback unless several machines share the farm. */
    host: string;
    /** Address under which browsers, CLI and SDK reach the API. */
    url: string;
    /** Address under which nodes reach the gateway. */
    gatewayUrl: string;
    /** Shared secret with which a new node joins at the gateway. */
    joinToken: string;
  };
  /** pino level: `trace`, `debug`, `info`, `warn`, `error`, `silent`. */
  logLevel: string;
}

/** Variables without which no farm process starts; the others have defaults. */
export const REQUIRED_VARIABLES = [
  'FARM_HOME',
  'FARM_TEMPORAL_ADDRESS',
  'FARM_S3_ENDPOINT',
  'FARM_S3_ACCESS_KEY',
  'FARM_S3_SECRET_KEY',
  'FARM_DATABASE_URL_APP',
  'FARM_DATABASE_URL_SERVICE',
  'FARM_CHAIN_RPC',
  'FARM_CHAIN_MNEMONIC',
  'FARM_DEPLOYMENT',
  'FARM_API_PORT',
  'FARM_JOIN_TOKEN',
] as const;

/** Variables that may be left out, with what then applies. */
export const OPTIONAL_VARIABLES = {
  FARM_TEMPORAL_NAMESPACE: 'default',
  FARM_S3_REGION: 'us-east-1',
  FARM_S3_BUCKET: 'farm',
  FARM_DATABASE_URL_OWNER: '',
  FARM_CHAIN_ID: '31337',
  FARM_API_HOST: '127.0.0.1',
  FARM_API_URL: '',
  FARM_GATEWAY_URL: '',
  FARM_LOG_LEVEL: 'info',
} as const;

/**
 * Reads the settings of a farm process.
 * @throws FarmError `SettingInvalid` that names every missing variable, or the one whose value is not what it should be.
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): FarmEnvironment {
  const missing = REQUIRED_VARIABLES.filter((name) => !variables[name]);
  if (missing.length > 0) {
    throw new FarmError('SettingInvalid', `Not set in the environment: ${missing.join(', ')}.`, {
      missing: missing.join(','),
    });
  }
  const text = (name: (typeof REQUIRED_VARIABLES)[number] | keyof typeof OPTIONAL_VARIABLES): string =>
    variables[name] || (OPTIONAL_VARIABLES as Record<string, string>)[name] || '';
  const port = integer('FARM_API_PORT', text('FARM_API_PORT'), 1, 65535);
  const url = text('FARM_API_URL') || `http://127.0.0.1:${port}`;
  return {
    home: text('FARM_HOME'),
    temporal: { address: text('FARM_TEMPORAL_ADDRESS'), namespace: text('FARM_TEMPORAL_NAMESPACE') },
    store: {
      endpoint: text('FARM_S3_ENDPOINT'),
      accessKey: text('FARM_S3_ACCESS_KEY'),
      secretKey: text('FARM_S3_SECRET_KEY'),
      region: text('FARM_S3_REGION'),
      bucket: text('FARM_S3_BUCKET'),
    },
    database: {
      owner: text('FARM_DATABASE_URL_OWNER') || undefined,
      app: text('FARM_DATABASE_URL_APP'),
      service: text('FARM_DATABASE_URL_SERVICE'),
    },
    chain: {
      rpc: text('FARM_CHAIN_RPC'),
      chainId: integer('FARM_CHAIN_ID', text('FARM_CHAIN_ID'), 1, Number.MAX_SAFE_INTEGER),
      mnemonic: text('FARM_CHAIN_MNEMONIC'),
      deployment: text('FARM_DEPLOYMENT'),
    },
    api: {
      port,
      host: text('FARM_API_HOST'),
      url,
      gatewayUrl: text('FARM_GATEWAY_URL') || url,
      joinToken: text('FARM_JOIN_TOKEN'),
    },
    logLevel: text('FARM_LOG_LEVEL'),
  };
}

/** The way back: the variables to hand to a child process. `owner` travels only when it is set. */
export function environmentVariables(environment: FarmEnvironment): Record<string, string> {
  const { temporal, store, database, chain, api } = environment;
  return {
    FARM_HOME: environment.home,
    FARM_TEMPORAL_ADDRESS: temporal.address,
    FARM_TEMPORAL_NAMESPACE: temporal.namespace,
    FARM_S3_ENDPOINT: store.endpoint,
    FARM_S3_ACCESS_KEY: store.accessKey,
    FARM_S3_SECRET_KEY: store.secretKey,
    FARM_S3_REGION: store.region,
    FARM_S3_BUCKET: store.bucket,
    ...(database.owner ? { FARM_DATABASE_URL_OWNER: database.owner } : {}),
    FARM_DATABASE_URL_APP: database.app,
    FARM_DATABASE_URL_SERVICE: database.service,
    FARM_CHAIN_RPC: chain.rpc,
    FARM_CHAIN_ID: String(chain.chainId),
    FARM_CHAIN_MNEMONIC: chain.mnemonic,
    FARM_DEPLOYMENT: chain.deployment,
    FARM_API_PORT: String(api.port),
    FARM_API_HOST: api.host,
    FARM_API_URL: api.url,
    FARM_GATEWAY_URL: api.gatewayUrl,
    FARM_JOIN_TOKEN: api.joinToken,
    FARM_LOG_LEVEL: environment.logLevel,
  };
}

function integer(name: string, value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new FarmError('SettingInvalid', `${name} must be a whole number from ${least} to ${most}, not "${value}".`, {
      variable: name,
    });
  }
  return number;
}
