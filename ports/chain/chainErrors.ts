/** What ethers and the contracts throw, in the words of the catalogue. */
import { type ErrorDescription, Interface, isError } from 'ethers';
import { type ErrorCode, type ErrorPlace, FarmError } from '../../domain/errors.ts';
import { artifact } from './artifacts.ts';

/** Refusals that are not a mismatch between farm and chain. */
const CODES: Record<string, ErrorCode> = {
  ERC20InsufficientBalance: 'FundsMissing',
  QuoteExpired: 'QuoteExpired',
  // Too early: a retry after the time in `place` succeeds.
  RefundTooEarly: 'ChainFailed',
  BatchOpen: 'ChainFailed',
  DepositsPaused: 'ChainFailed',
  EnforcedPause: 'ChainFailed',
};

let interfaces: Interface[] | undefined;

/** Runs a call of the chain and translates what it throws. `doing` is the first half of the message. */
export async function onChain<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw chainError(doing, error);
  }
}

/** Any error of ethers as a `FarmError`; one that is a `FarmError` already stays as it is. */
export function chainError(doing: string, error: unknown): FarmError {
  if (error instanceof FarmError) return error;
  const refusal = refusalOf(error);
  if (refusal) {
    const place: ErrorPlace = { error: refusal.name };
    for (const [index, input] of refusal.fragment.inputs.entries()) place[input.name] = String(refusal.args[index]);
    const details = Object.entries(place)
      .slice(1)
      .map(([name, value]) => `${name} ${value}`);
    const message = `${doing}: the contract refuses it with ${refusal.name}(${details.join(', ')}).`;
    return new FarmError(CODES[refusal.name] ?? 'ChainMismatch', message, place, { cause: error });
  }
  if (isError(error, 'INSUFFICIENT_FUNDS')) {
    return new FarmError('FundsMissing', `${doing}: the sender cannot pay for gas.`, {}, { cause: error });
  }
  if (isError(error, 'CALL_EXCEPTION')) {
    return new FarmError('ChainMismatch', `${doing}: ${error.shortMessage}.`, {}, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new FarmError('ChainFailed', `${doing}: ${message}`, {}, { cause: error });
}

/** The contract's own error inside of what ethers threw, if there is one. */
function refusalOf(error: unknown): ErrorDescription | null {
  if (!isError(error, 'CALL_EXCEPTION') || !error.data) return null;
  interfaces ??= (['Settlement', 'JobEscrow', 'CMPToken'] as const).map((name) => new Interface(artifact(name).abi));
  for (const known of interfaces) {
    const parsed = known.parseError(error.data);
    if (parsed) return parsed;
  }
  return null;
}
