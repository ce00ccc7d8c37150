/** Puts the contracts on the chain at the farm's first start; later starts find them there. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FarmEnvironment } from './environment.ts';

/** Deploys what is missing and writes the addresses to `environment.chain.deployment`. */
export async function deployContracts(environment: FarmEnvironment): Promise<void> {
  const module = new URL('../../ports/chain/deploy.js', import.meta.url);
  if (!existsSync(fileURLToPath(module))) return;
  const { deploy } = await import(module.href);
  await deploy(environment.chain);
}
