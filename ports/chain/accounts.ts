/** Keys and signatures. Keys are derived by BIP-32 from the farm's phrase, so that a restart finds the same accounts. */
import { HDNodeWallet, Mnemonic, TypedDataEncoder, verifyTypedData, Wallet } from 'ethers';
import { FarmError } from '../../domain/errors.ts';
import type { TypedData } from '../../domain/money/typedData.ts';

/** An account whose key this process holds. */
export interface Account {
  address: string;
  /** Private key, hex. */
  key: string;
}

/** Whose accounts lie under which BIP-44 account number; no two share a key. */
const BRANCH = { farm: 0, studio: 1, session: 2 } as const;

/** The operator: deploys, holds the token's supply on the embedded chain, posts batches. anvil gives it gas money. */
export const operatorAccount = (mnemonic: string): Account => derive(mnemonic, BRANCH.farm, 0);
/** Where the operator's fees go. */
export const treasuryAccount = (mnemonic: string): Account => derive(mnemonic, BRANCH.farm, 1);
/** The account that a studio pays from, where the farm keeps its keys (embedded chain). `index` is the studio's `key_index`. */
export const studioAccount = (mnemonic: string, index: number): Account => derive(mnemonic, BRANCH.studio, index);
/** The key that countersigns for that studio. */
export const sessionAccount = (mnemonic: string, index: number): Account => derive(mnemonic, BRANCH.session, index);

/** Deriving costs thousands of hashes, and the same few keys sign all day. */
const derived = new Map<string, Account>();
const KEPT = 1_000;

function derive(phrase: string, branch: number, index: number): Account {
  const name = `${phrase}/${branch}/${index}`;
  const known = derived.get(name);
  if (known) return known;
  const mnemonic = Mnemonic.isValidMnemonic(phrase) ? Mnemonic.fromPhrase(phrase) : null;
  if (!mnemonic) throw new FarmError('SettingInvalid', 'FARM_CHAIN_MNEMONIC is no valid BIP-39 phrase.');
  const wallet = HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/${branch}'/0/${index}`);
  const account = { address: wallet.address, key: wallet.privateKey };
  if (derived.size >= KEPT) derived.clear();
  derived.set(name, account);
  return account;
}

/** EIP-712 signature, hex. */
export function signTyped(key: string, data: TypedData): Promise<string> {
  return new Wallet(key).signTypedData(data.domain, data.types, data.message);
}

/** EIP-712 digest, hex: what contracts see as the hash of a quote, receipt or batch. */
export function hashTyped(data: TypedData): string {
  return TypedDataEncoder.hash(data.domain, data.types, data.message);
}

/** Whether `signer` signed the data. Malformed signatures are no. */
export function isSignedBy(signer: string, data: TypedData, signature: string): boolean {
  try {
    const recovered = verifyTypedData(data.domain, data.types, data.message, signature);
    return recovered.toLowerCase() === signer.toLowerCase();
  } catch {
    return false;
  }
}
