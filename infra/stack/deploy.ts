/** Puts the contracts on the chain at the farm's first start; later starts find them there. */
import { existsSync } from 'node:fs';
import { FarmError } from '../../domain/errors.ts';
import type { Deployment } from '../../ports/chain/chain.ts';
import { deploy } from '../../ports/chain/deploy.ts';
import { readDeployment } from '../../ports/chain/deployment.ts';
import type { FarmEnvironment } from './environment.ts';

/**
 * Deploys what is missing and writes the addresses to `environment.chain.deployment`.
 * @throws FarmError `ChainFailed`, `ChainMismatch`, `FundsMissing`
 */
export async function deployContracts(environment: FarmEnvironment): Promise<Deployment> {
  await deploy(environment.chain);
  if (!existsSync(environment.chain.deployment)) {
    throw new FarmError('ChainFailed', `The deployment left no ${environment.chain.deployment}.`);
  }
  return readDeployment(environment.chain.deployment);
}
