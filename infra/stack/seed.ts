/**
 * What a new farm begins with: a tariff, the first studio with its API key (which the owner's clients find in the home),
 * and, on the embedded chain, CMP and gas money for it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operatorAccount, sessionAccount, studioAccount } from '../../ports/chain/accounts.ts';
import type { Deployment } from '../../ports/chain/chain.ts';
import { connectChain } from '../../ports/chain/ethersChain.ts';
import { fundGas } from '../../ports/chain/provider.ts';
import { createDatabase, type Tx } from '../../ports/db/client.ts';
import { createApiKey, createStudio, currentTariff, recordDeployment, setTariff } from '../../ports/db/studios.ts';
import { EMBEDDED_CHAIN_ID } from './chain.ts';
import type { FarmEnvironment } from './environment.ts';

/** `client.json` in the home: how the `farm` command finds its farm. For the owner's eyes only. */
export interface ClientFile {
  url: string;
  key: string;
  studio: string;
}

const STUDIO = { slug: 'demo', name: 'Demo Studio', currency: 'EUR', keyIndex: 0 };
const ONE_CMP = 10n ** 18n;
/** 1 CMP an hour at score 1.0, 1 EUR a CMP, no tax: values to begin with; a newer row changes them. */
const TARIFF = { currency: 'EUR', pricePerFbh: ONE_CMP, centsPerTokenE6: 100_000_000, taxBasisPoints: 0 };
/** The studio of an embedded farm has at least this much to try things with. */
const PLAY_MONEY = 10_000n * ONE_CMP;

/** Brings what is missing and changes nothing that is there. @throws FarmError of the database and the chain */
export async function seed(environment: FarmEnvironment, deployment: Deployment): Promise<void> {
  const { mnemonic } = environment.chain;
  const account = studioAccount(mnemonic, STUDIO.keyIndex).address;
  const key = clientKey(environment.home);
  const database = createDatabase({
    appUrl: environment.database.app,
    serviceUrl: environment.database.service,
    max: 1,
  });
  try {
    await database.asService(async (tx: Tx) => {
      await recordDeployment(tx, {
        chainId: deployment.chainId,
        escrow: deployment.escrow,
        settlement: deployment.settlement,
        token: deployment.token,
        tokenSymbol: deployment.tokenSymbol,
        tokenDecimals: deployment.tokenDecimals,
        blockNumber: deployment.blockNumber,
      });
      if (!(await currentTariff(tx))) await setTariff(tx, TARIFF);
      const studio = await createStudio(tx, {
        ...STUDIO,
        account,
        sessionAccount: sessionAccount(mnemonic, STUDIO.keyIndex).address,
      });
      await createApiKey(tx, {
        studioId: studio.id,
        role: 'td',
        label: 'first key of this farm',
        keyHash: sha256(key),
      });
    });
  } finally {
    await database.close();
  }
  if (deployment.chainId === EMBEDDED_CHAIN_ID) await giveMoney(environment, deployment, account);
  writeClientFile(environment, { url: environment.api.url, key, studio: STUDIO.slug });
}

async function giveMoney(environment: FarmEnvironment, deployment: Deployment, account: string): Promise<void> {
  const { rpc, mnemonic } = environment.chain;
  await fundGas(rpc, account);
  const chain = await connectChain(rpc, deployment);
  try {
    const balance = await chain.balanceOf(account);
    if (balance >= PLAY_MONEY) return;
    const transfer = await chain.prepareTransfer(operatorAccount(mnemonic).key, account, PLAY_MONEY - balance);
    await chain.broadcast(transfer.raw);
    await chain.waitFor(transfer.hash);
  } finally {
    chain.close();
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const clientFile = (home: string): string => join(home, 'client.json');

/** The record holds only the key's hash, so a lost file means a new key. */
function clientKey(home: string): string {
  const path = clientFile(home);
  if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as ClientFile).key;
  return `fw_${randomBytes(24).toString('base64url')}`;
}

function writeClientFile(environment: FarmEnvironment, file: ClientFile): void {
  const path = clientFile(environment.home);
  writeFileSync(`${path}.new`, JSON.stringify(file, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
