/** Puts the farm's contracts on its chain, with the accounts that the farm derives from its phrase. */
import { operatorAccount, treasuryAccount } from './accounts.ts';
import type { Deployment } from './chain.ts';
import { type DeploymentOptions, EMBEDDED_OPTIONS, ensureDeployment } from './deployment.ts';
import { EMBEDDED_CHAIN_ID, fundGas } from './provider.ts';

const DAY = 86_400;

/** On a chain that strangers share, everybody gets days to act. The supply stays with the deployer. */
const PUBLIC_OPTIONS: Omit<DeploymentOptions, 'operator' | 'treasury'> = {
  ...EMBEDDED_OPTIONS,
  challengeWindowSeconds: DAY,
  refundDelaySeconds: DAY,
  graceSeconds: 7 * DAY,
};

/**
 * Deploys what is missing and writes the addresses to `deployment`; may be called at every start.
 * @param settings endpoint, chain id, phrase and the absolute path of the deployment file
 * @throws FarmError as `ensureDeployment`
 */
export async function deploy(settings: {
  rpc: string;
  chainId: number;
  mnemonic: string;
  deployment: string;
}): Promise<Deployment> {
  const { rpc, chainId, mnemonic, deployment } = settings;
  const operator = operatorAccount(mnemonic);
  const embedded = chainId === EMBEDDED_CHAIN_ID;
  if (embedded) await fundGas(rpc, operator.address, 1000n * 10n ** 18n);
  return ensureDeployment(rpc, operator.key, deployment, {
    ...(embedded ? EMBEDDED_OPTIONS : PUBLIC_OPTIONS),
    operator: operator.address,
    treasury: treasuryAccount(mnemonic).address,
  });
}
