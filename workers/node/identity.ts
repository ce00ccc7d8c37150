/** Who a node is: its own key, made at the first start and kept in its folder, so that a restart is the same node. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import { FarmError } from '../../domain/errors.ts';
import { joinMessage } from '../../ports/gateway/protocol.ts';

/**
 * The node's wallet: the given key (hex), else the one in `home/key`, else a new one written there for the owner only.
 * @throws FarmError `SettingInvalid` when the key is none
 */
export async function loadIdentity(home: string, givenKey: string | undefined): Promise<Wallet> {
  if (givenKey) return wallet(givenKey, 'FARM_NODE_KEY');
  const path = join(home, 'key');
  await mkdir(home, { recursive: true });
  try {
    // 'wx' decides between two processes that start at once: one writes, the other reads.
    await writeFile(path, `${Wallet.createRandom().privateKey}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return wallet((await readFile(path, 'utf8')).trim(), path);
}

function wallet(key: string, place: string): Wallet {
  try {
    return new Wallet(key);
  } catch {
    // The key itself stays out of the message.
    throw new FarmError('SettingInvalid', `${place} does not hold a private key of 64 hex digits.`, { setting: place });
  }
}

/** EIP-191 signature over the join message. */
export async function signJoin(identity: Wallet, name: string, issuedAt: string): Promise<string> {
  return identity.signMessage(joinMessage(name, identity.address, issuedAt));
}
