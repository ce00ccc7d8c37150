/** Opens studios: a row, keys on chain, a first API key, and on the embedded chain some CMP to try things out with. */
import { createHash, randomBytes } from 'node:crypto';
import { FarmError } from '../../domain/errors.ts';
import type { Role } from '../../domain/statuses.ts';
import { PLAIN_TEXT } from '../../domain/text.ts';
import { operatorAccount, sessionAccount, studioAccount } from '../../ports/chain/accounts.ts';
import { readDeployment } from '../../ports/chain/deployment.ts';
import { connectChain } from '../../ports/chain/ethersChain.ts';
import { EMBEDDED_CHAIN_ID, fundGas } from '../../ports/chain/provider.ts';
import { createDatabase, type Database } from '../../ports/db/client.ts';
import { createApiKey, createStudio, findStudio, nextKeyIndex } from '../../ports/db/studios.ts';
import type { FarmEnvironment } from './environment.ts';

/** What a new studio of the embedded chain may spend: 10,000 CMP. */
const WELCOME_GIFT = 10_000n * 10n ** 18n;
const GAS_MONEY = 100n * 10n ** 18n;

export interface OpenedStudio {
  studioId: string;
  slug: string;
  /** API key of a TD; shown once, the database keeps its hash. */
  key: string;
  account: string;
}

/**
 * Opens a studio whose keys the farm keeps.
 * @throws FarmError `RequestInvalid` for a bad slug, name or currency, `JobStateConflict` when the slug is taken
 */
export async function openStudio(
  environment: FarmEnvironment,
  input: { slug: string; name: string; currency: string },
): Promise<OpenedStudio> {
  const isNamed = input.name !== '' && PLAIN_TEXT.test(input.name);
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(input.slug) || !/^[A-Z]{3}$/.test(input.currency) || !isNamed) {
    throw new FarmError(
      'RequestInvalid',
      'A studio needs a slug like "north-light", a name of one line and a currency like EUR.',
      {
        slug: input.slug,
        currency: input.currency,
      },
    );
  }
  return withDatabase(environment, async (database) => {
    const { mnemonic } = environment.chain;
    const studio = await database.asService(async (tx) => {
      if (await findStudio(tx, input.slug)) {
        throw new FarmError('JobStateConflict', `There is a studio "${input.slug}" already.`, { slug: input.slug });
      }
      const keyIndex = await nextKeyIndex(tx);
      return createStudio(tx, {
        ...input,
        account: studioAccount(mnemonic, keyIndex).address,
        sessionAccount: sessionAccount(mnemonic, keyIndex).address,
        keyIndex,
      });
    });
    await welcome(environment, studio.account);
    const key = await giveKey(database, studio.id, 'td', 'first key of the studio');
    return { studioId: studio.id, slug: studio.slug, key, account: studio.account };
  });
}

/** Makes a key for a studio's member, or for an operator (no studio), and returns it; the database keeps its hash. */
export async function giveKey(database: Database, studioId: string | null, role: Role, label: string): Promise<string> {
  const key = `fw_${randomBytes(24).toString('base64url')}`;
  await database.asService((tx) => createApiKey(tx, { studioId, role, label, keyHash: hashOfKey(key) }));
  return key;
}

/** How keys are kept: SHA-256, hex. They are random enough that no slow hash is needed. */
export const hashOfKey = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Gas money and CMP for an account that never had any. Other chains give nothing away. */
export async function welcome(environment: FarmEnvironment, account: string): Promise<void> {
  const { rpc, chainId, mnemonic, deployment } = environment.chain;
  if (chainId !== EMBEDDED_CHAIN_ID) return;
  await fundGas(rpc, account, GAS_MONEY);
  const chain = await connectChain(rpc, readDeployment(deployment));
  try {
    if ((await chain.balanceOf(account)) > 0n) return;
    for (let attempt = 1; ; attempt++) {
      const transfer = await chain.prepareTransfer(operatorAccount(mnemonic).key, account, WELCOME_GIFT);
      // The settle worker uses the same account; whoever loses the nonce tries again.
      if ((await chain.broadcast(transfer.raw)) !== 'replaced') {
        await chain.waitFor(transfer.hash);
        return;
      }
      if (attempt === 5)
        throw new FarmError('ChainFailed', `The gift to ${account} lost its nonce five times.`, { account });
    }
  } finally {
    chain.close();
  }
}

/** Lends a connection to the record. */
export async function withDatabase<T>(
  environment: FarmEnvironment,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { app, service } = environment.database;
  const database = createDatabase({ appUrl: app, serviceUrl: service, max: 2 });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
