/** EIP-712 typed data as plain data: the domain defines what is signed, ports sign it. */

/** The deployment that a signature counts for: another chain or contract never accepts it. */
export interface SigningDomain {
  chainId: number;
  /** Address of the `Settlement` contract. */
  settlement: string;
}

/** https://eips.ethereum.org/EIPS/eip-712, in the shape that ethers, viem and wallets take. */
export interface TypedData {
  domain: { name: string; version: string; chainId: number; verifyingContract: string };
  /** Without `EIP712Domain`, which signers add. */
  types: Record<string, { name: string; type: string }[]>;
  primaryType: string;
  message: Record<string, unknown>;
}

/** Builds typed data over the contract's EIP-712 domain (`Framewright`, version 1). */
export function typedData(
  { chainId, settlement }: SigningDomain,
  types: TypedData['types'],
  primaryType: string,
  message: Record<string, unknown>,
): TypedData {
  const domain = { name: 'Framewright', version: '1', chainId, verifyingContract: settlement };
  return { domain, types, primaryType, message };
}
