/** What the embedded services have in common. */
import type { Keeper } from './keeper.ts';
import type { ManagedProcess } from './managed-process.ts';
import type { FarmState, PortName } from './state.ts';

export type ServiceName = 'temporal' | 'store' | 'database' | 'chain';

/** What a service needs to start. */
export interface ServiceContext {
  /** Absolute folder of the farm's state. */
  home: string;
  state: FarmState;
  keeper: Keeper;
  variables: NodeJS.ProcessEnv;
  /** For tests: the database does not wait for the disk. What it holds is lost with the machine, not with the process. */
  volatile: boolean;
  /** A free port, kept in the state; `variable` pins it. */
  port(name: PortName, service: string, variable: string): Promise<number>;
}

/** A service that answers. */
export interface RunningService {
  name: ServiceName;
  /** As people read it. */
  title: string;
  /** Host and port, or URL. Without passwords. */
  address: string;
  /** Undefined for a service that somebody else runs. */
  process: ManagedProcess | undefined;
  /** Ends it in order; does nothing to a service that somebody else runs. */
  stop(): Promise<void>;
}

/** A service that was named by an address in the environment. */
export function externalService(name: ServiceName, title: string, address: string): RunningService {
  return { name, title, address, process: undefined, stop: async () => {} };
}
