/** Finds what `contracts/build.js` compiled. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InterfaceAbi } from 'ethers';
import { FarmError } from '../../domain/errors.ts';

export type ContractName = 'CMPToken' | 'JobEscrow' | 'Settlement';

/** A compiled contract. */
export interface Artifact {
  contractName: string;
  abi: InterfaceAbi;
  bytecode: string;
}

const loaded = new Map<ContractName, Artifact>();

/**
 * The compiled contract, from `dist/contracts` of this checkout, wherever the running code was bundled to.
 * @throws FarmError `BinaryMissing` when nothing was built
 */
export function artifact(name: ContractName): Artifact {
  const found = loaded.get(name) ?? (JSON.parse(readFileSync(locate(name), 'utf8')) as Artifact);
  loaded.set(name, found);
  return found;
}

function locate(name: ContractName): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const path = join(folder, 'dist', 'contracts', `${name}.json`);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) break;
  }
  throw new FarmError('BinaryMissing', 'The contracts are not compiled; run "npm run build".', { contract: name });
}
