/** A farm's money for one test: deployed contracts, a studio with CMP, nodes with keys, and what they sign. */
import { id as keccakOfText, Wallet } from 'ethers';
import { ONE_CMP } from '../../../domain/money/amount.ts';
import { type Batch, batchTypedData } from '../../../domain/money/batch.ts';
import { quoteTypedData } from '../../../domain/money/quote.ts';
import { type Receipt, receiptTypedData } from '../../../domain/money/receipt.ts';
import {
  type Account,
  operatorAccount,
  sessionAccount,
  signTyped,
  studioAccount,
  treasuryAccount,
} from '../accounts.ts';
import type { Chain, Confirmation, Deployment, DepositTerms, PreparedTransaction } from '../chain.ts';
import { type DeploymentOptions, deployFresh, EMBEDDED_OPTIONS } from '../deployment.ts';
import { connectChain } from '../ethersChain.ts';
import { fundGas } from '../provider.ts';
import { type Anvil, TEST_MNEMONIC } from './anvil.ts';

const DAY = 86_400;

/** Everything a money test needs. */
export interface TestFarm {
  chain: Chain;
  deployment: Deployment;
  operator: Account;
  studio: Account;
  session: Account;
  nodes: Account[];
  /** Broadcasts and waits. */
  send(prepared: PreparedTransaction): Promise<Confirmation>;
  /** What the studio agrees to for a job; 30 days, quote signed by the operator. */
  terms(jobId: string, amount: bigint): Promise<DepositTerms>;
  /** A receipt with both signatures. */
  receipt(jobId: string, node: Account, sequence: number, cumulative: bigint): Promise<SignedReceipt>;
  countersign(batch: Batch): Promise<string>;
}

interface SignedReceipt {
  receipt: Receipt;
  signatures: { node: string; session: string };
}

export const farmAccounts = { operator: operatorAccount(TEST_MNEMONIC), treasury: treasuryAccount(TEST_MNEMONIC) };

/** Deploys the compiled contracts on a running chain and gives the studio 1000 CMP. */
export async function setUpFarm(anvil: Anvil, options: Partial<DeploymentOptions> = {}): Promise<TestFarm> {
  const { operator, treasury } = farmAccounts;
  const studio = studioAccount(TEST_MNEMONIC, 0);
  const session = sessionAccount(TEST_MNEMONIC, 0);
  const nodes = ['one', 'two', 'three'].map((name) => {
    const key = keccakOfText(name);
    return { key, address: new Wallet(key).address };
  });
  const accounts = { operator: operator.address, treasury: treasury.address };
  const deployment = await deployFresh(anvil.rpcUrl, operator.key, { ...EMBEDDED_OPTIONS, ...accounts, ...options });
  const chain = await connectChain(anvil.rpcUrl, deployment);
  const send = async (prepared: PreparedTransaction) => {
    await chain.broadcast(prepared.raw);
    return chain.waitFor(prepared.hash);
  };
  if (deployment.chainId === 31_337) await fundGas(anvil.rpcUrl, studio.address);
  await send(await chain.prepareTransfer(operator.key, studio.address, 1000n * ONE_CMP));
  return {
    ...{ chain, deployment, operator, studio, session, nodes, send },
    async terms(jobId, amount) {
      const now = await chain.time();
      const quote = {
        ...{ jobId, studio: studio.address, price: amount, suggestedCap: amount },
        ...{ pricePerFbh: 2n * ONE_CMP, validUntil: now + 900 },
      };
      const quoteSignature = await signTyped(operator.key, quoteTypedData(deployment, quote));
      const limits = { maxUncountersigned: ONE_CMP, expiresAt: now + 30 * DAY };
      return { quote, quoteSignature, amount, sessionKey: session.address, ...limits };
    },
    async receipt(jobId, node, sequence, cumulative) {
      const unitsRoot = keccakOfText(`${jobId} ${sequence}`);
      const receipt = { jobId, node: node.address, sequence, cumulative, unitsRoot, unitCount: sequence };
      const data = receiptTypedData(deployment, receipt);
      const signatures = { node: await signTyped(node.key, data), session: await signTyped(session.key, data) };
      return { receipt, signatures };
    },
    countersign: (batch) => signTyped(session.key, batchTypedData(deployment, batch)),
  };
}
