/** What a farm on this machine remembers between runs: ports and the passwords that were made up once. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';

export type PortName = 'temporal' | 'temporalHttp' | 'temporalUi' | 'store' | 'database' | 'chain' | 'api';

/** Random once for a home; nothing in it is known outside this machine. */
interface Credentials {
  storeAccessKey: string;
  storeSecretKey: string;
  databaseAdmin: string;
  databaseOwner: string;
  databaseApp: string;
  databaseService: string;
  /** BIP-39, twelve words. */
  chainMnemonic: string;
  joinToken: string;
}

export interface FarmState {
  formatVersion: 1;
  ports: Partial<Record<PortName, number>>;
  credentials: Credentials;
  /** Where the database's files are when they cannot be in the home. */
  databaseFolder?: string;
}

/**
 * Reads the state of a home, or makes a new one.
 * @param home absolute folder; made if it is not there, readable by its owner alone
 * @throws FarmError `ServiceFailed` when the file is there and cannot be understood: starting over would lose the farm
 */
export async function openState(home: string): Promise<FarmState> {
  mkdirSync(home, { recursive: true });
  // 0711: the database's own user has to get through to its folder; the names inside stay private.
  chmodSync(home, 0o711);
  const path = statePath(home);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    const state: FarmState = { formatVersion: 1, ports: {}, credentials: await inventCredentials() };
    saveState(home, state);
    return state;
  }
  try {
    const state = JSON.parse(text) as FarmState;
    if (state.formatVersion === 1 && state.credentials) return state;
  } catch {
    // told below
  }
  throw new FarmError('ServiceFailed', `${path} cannot be read. Mend it, or start over with "farm reset".`, { path });
}

/** Reads the state without making one. */
export function peekState(home: string): FarmState | undefined {
  try {
    return JSON.parse(readFileSync(statePath(home), 'utf8')) as FarmState;
  } catch {
    return undefined;
  }
}

/** Writes the state: whole or not at all, for its owner's eyes only. */
export function saveState(home: string, state: FarmState): void {
  const path = statePath(home);
  writeFileSync(`${path}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function statePath(home: string): string {
  return join(home, 'state.json');
}

async function inventCredentials(): Promise<Credentials> {
  const { Wallet } = await import('ethers');
  const secret = () => randomBytes(24).toString('hex');
  return {
    storeAccessKey: randomBytes(10).toString('hex'),
    storeSecretKey: secret(),
    databaseAdmin: secret(),
    databaseOwner: secret(),
    databaseApp: secret(),
    databaseService: secret(),
    chainMnemonic: Wallet.createRandom().mnemonic!.phrase,
    joinToken: secret(),
  };
}
