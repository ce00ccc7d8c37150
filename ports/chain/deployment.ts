/** Puts the contracts on a chain, once, and finds them again. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Contract, ContractFactory, getCreateAddress, type JsonRpcProvider, Wallet } from 'ethers';
import { FarmError } from '../../domain/errors.ts';
import { CMP_DECIMALS, ONE_CMP } from '../../domain/money/amount.ts';
import { artifact, type ContractName } from './artifacts.ts';
import type { Deployment } from './chain.ts';
import { onChain } from './chainErrors.ts';
import { EMBEDDED_CHAIN_ID, openProvider } from './provider.ts';
import { broadcast, prepare, waitFor } from './transactions.ts';

/** What is fixed at deployment, for good. */
export interface DeploymentOptions {
  /** Posts batches and signs quotes. */
  operator: string;
  /** Gets the operator's fees. */
  treasury: string;
  /** For how long an uncountersigned batch can be contested. */
  challengeWindowSeconds: number;
  /**
   * Between the end of a batch and the studio's refund; in it, nodes redeem receipts that the batch missed. At least the
   * challenge window where studio, operator and nodes do not trust each other.
   */
  refundDelaySeconds: number;
  /** Between a job's expiry and the refund that needs nobody. */
  graceSeconds: number;
  /** Operator's share of payments in ten-thousandths, at most 1000. */
  feeBasisPoints: number;
  /** Whole supply of CMP, base units; goes to the deployer. */
  supply: bigint;
}

/** For the embedded chain, where operator, studio and nodes are one house: refunds need not wait. */
export const EMBEDDED_OPTIONS: Omit<DeploymentOptions, 'operator' | 'treasury'> = {
  challengeWindowSeconds: 3600,
  refundDelaySeconds: 0,
  graceSeconds: 86_400,
  feeBasisPoints: 0,
  supply: 1_000_000_000n * ONE_CMP,
};

/**
 * The deployment written at `path`, or a new one, which is then written there. On the embedded chain, whose last blocks may
 * be lost, contracts that are gone are deployed again.
 * @throws FarmError `ChainMismatch` when the file is of another chain, or a chain that is not ours lacks the contracts;
 * `FundsMissing` when the deployer cannot pay for gas; `ChainFailed`
 */
export async function ensureDeployment(
  rpcUrl: string,
  deployerKey: string,
  path: string,
  options: DeploymentOptions,
): Promise<Deployment> {
  const provider = await openProvider(rpcUrl);
  try {
    const known = existsSync(path) ? readDeployment(path) : null;
    if (known) {
      try {
        await requireDeployed(provider, known);
        return known;
      } catch (error) {
        const gone = error instanceof FarmError && error.place.error === 'CodeMissing';
        if (!gone || known.chainId !== EMBEDDED_CHAIN_ID) throw error;
      }
    }
    const deployment = await deployContracts(provider, deployerKey, options);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, `${JSON.stringify(deployment, null, 2)}\n`);
    renameSync(`${path}.new`, path);
    return deployment;
  } finally {
    provider.destroy();
  }
}

/**
 * Reads a deployment file.
 * @throws FarmError `StackNotRunning` when there is none, `ChainMismatch` when it is of another format
 */
export function readDeployment(path: string): Deployment {
  if (!existsSync(path)) {
    throw new FarmError('StackNotRunning', `The contracts were not deployed yet; there is no ${path}.`, { path });
  }
  const deployment = JSON.parse(readFileSync(path, 'utf8')) as Deployment;
  if (deployment.formatVersion !== 1) {
    throw new FarmError('ChainMismatch', `${path} has the unknown format ${deployment.formatVersion}.`, { path });
  }
  return deployment;
}

/** Deploys token, escrow and settlement. */
export async function deployFresh(
  rpcUrl: string,
  deployerKey: string,
  options: DeploymentOptions,
): Promise<Deployment> {
  const provider = await openProvider(rpcUrl);
  try {
    return await deployContracts(provider, deployerKey, options);
  } finally {
    provider.destroy();
  }
}

/** @throws FarmError `ChainMismatch` unless these contracts are on this chain and belong together */
export async function requireDeployed(provider: JsonRpcProvider, deployment: Deployment): Promise<void> {
  const { chainId } = await provider.getNetwork();
  if (Number(chainId) !== deployment.chainId) {
    const place = { error: 'OtherChain', expected: deployment.chainId, found: Number(chainId) };
    throw new FarmError(
      'ChainMismatch',
      `The contracts are on chain ${deployment.chainId}, this is ${chainId}.`,
      place,
    );
  }
  for (const name of ['token', 'escrow', 'settlement'] as const) {
    const code = await onChain('Looking for the contracts', () => provider.getCode(deployment[name]));
    if (code === '0x') {
      const place = { error: 'CodeMissing', contract: deployment[name] };
      throw new FarmError('ChainMismatch', `There is no ${name} contract at ${deployment[name]}.`, place);
    }
  }
  const settlement = new Contract(deployment.settlement, artifact('Settlement').abi, provider);
  const escrow: string = await onChain('Looking for the contracts', () => settlement.ESCROW!());
  if (escrow.toLowerCase() !== deployment.escrow.toLowerCase()) {
    throw new FarmError('ChainMismatch', `The settlement belongs to escrow ${escrow}, not ${deployment.escrow}.`);
  }
}

async function deployContracts(
  provider: JsonRpcProvider,
  key: string,
  options: DeploymentOptions,
): Promise<Deployment> {
  const { address: deployer } = new Wallet(key);
  const { chainId } = await provider.getNetwork();
  const token = await create(provider, key, 'CMPToken', [deployer, options.supply]);
  // The escrow names the settlement before it exists: the deployer's next but one contract.
  const nonce = await onChain('Deploying', () => provider.getTransactionCount(deployer));
  const ahead = getCreateAddress({ from: deployer, nonce: nonce + 1 });
  const escrow = await create(provider, key, 'JobEscrow', [token.address, ahead, options.graceSeconds]);
  const settlement = await create(provider, key, 'Settlement', [
    escrow.address,
    deployer,
    options.operator,
    options.treasury,
    options.challengeWindowSeconds,
    options.refundDelaySeconds,
    options.feeBasisPoints,
  ]);
  return {
    formatVersion: 1,
    chainId: Number(chainId),
    token: token.address,
    escrow: escrow.address,
    settlement: settlement.address,
    tokenSymbol: 'CMP',
    tokenDecimals: CMP_DECIMALS,
    blockNumber: token.blockNumber,
    deployer,
    operator: options.operator,
    treasury: options.treasury,
    challengeWindowSeconds: options.challengeWindowSeconds,
    refundDelaySeconds: options.refundDelaySeconds,
    graceSeconds: options.graceSeconds,
    feeBasisPoints: options.feeBasisPoints,
  };
}

async function create(provider: JsonRpcProvider, key: string, name: ContractName, args: unknown[]) {
  const { abi, bytecode } = artifact(name);
  const { data } = await new ContractFactory(abi, bytecode).getDeployTransaction(...args);
  const prepared = await prepare(provider, key, { to: null, data }, `Deploying ${name}`);
  await broadcast(provider, prepared.raw);
  const { blockNumber } = await waitFor(provider, prepared.hash);
  return { address: getCreateAddress({ from: prepared.sender, nonce: prepared.nonce }), blockNumber };
}
