/**
 * Amounts of CMP (base units, 10⁻¹⁸) and of currency (minor units, "cents"), as `bigint`. Never floats: 0.1 + 0.2 is not
 * a sum that an invoice may hold.
 */
import { FarmError } from '../errors.ts';

/** Decimal places of the token. */
export const CMP_DECIMALS = 18;
/** Base units in one whole CMP. */
export const ONE_CMP = 10n ** BigInt(CMP_DECIMALS);
/** Largest sum that the contracts keep for one job. */
export const MAX_AMOUNT = (1n << 128n) - 1n;

/** How `Rate.centsPerTokenE6` is scaled. */
const RATE_SCALE = 1_000_000n;

/** What one CMP costs in a currency, at a stated time, from a stated source. */
export interface Rate {
  /** ISO 4217, of a currency with two decimal places. */
  currency: string;
  /** Minor units (cents) of the currency for one whole CMP, times 10⁶. */
  centsPerTokenE6: bigint;
  /** ISO 8601 time at which the rate was taken. */
  at: string;
  /** Where it was taken from. */
  source: string;
}

/**
 * Reads an amount of CMP as a person writes it: `25`, `25.5`, `0.000001`.
 * @param field what to name in the error
 * @returns base units
 * @throws FarmError `SettingInvalid` for anything else: signs, exponents, more than 18 decimals, more than a job can hold
 */
export function parseCmp(text: string, field = 'amount'): bigint {
  const match = /^(\d{1,39})(?:\.(\d{1,18}))?$/.exec(text.trim());
  if (!match) {
    throw new FarmError('SettingInvalid', `"${text}" is not an amount of CMP such as 25 or 0.5.`, { field });
  }
  const amount = BigInt(match[1]!) * ONE_CMP + BigInt((match[2] ?? '').padEnd(CMP_DECIMALS, '0'));
  if (amount > MAX_AMOUNT) throw new FarmError('SettingInvalid', `${text} CMP is more than exists.`, { field });
  return amount;
}

/**
 * Reads base units as JSON carries them: a decimal string.
 * @throws FarmError `RequestInvalid`
 */
export function parseBaseUnits(text: string, field = 'amount'): bigint {
  if (!/^(0|[1-9]\d{0,77})$/.test(text)) {
    throw new FarmError('RequestInvalid', `"${text}" is not a whole number of base units.`, { field });
  }
  return BigInt(text);
}

/**
 * Base units as CMP in decimal notation, exact, without trailing zeros: `1.5`.
 * @param decimals at most this many places; what is cut off is marked with `…`, so that nobody takes it for exact
 */
export function formatCmp(amount: bigint, decimals = CMP_DECIMALS): string {
  const { sign, whole, fraction } = split(amount, CMP_DECIMALS);
  const exact = fraction.replace(/0+$/, '');
  const shown = exact.slice(0, decimals);
  return `${sign}${whole}${shown ? `.${shown}` : ''}${exact.length > shown.length ? '…' : ''}`;
}

/** Minor units as currency in decimal notation with two places: `12.05`. */
export function formatCents(cents: bigint): string {
  const { sign, whole, fraction } = split(cents, 2);
  return `${sign}${whole}.${fraction}`;
}

/** A rate as currency for one CMP, exact: `0.25`. */
export function formatRate(rate: Pick<Rate, 'centsPerTokenE6'>): string {
  const { whole, fraction } = split(rate.centsPerTokenE6, 8);
  return `${whole}.${fraction.replace(/0+$/, '').padEnd(2, '0')}`;
}

/**
 * The one rule from base units to cents: rounded down, so that rounding never favours the payee. Sums are rounded once;
 * their parts share the rounded sum (`shareCents`).
 */
export function toCents(amount: bigint, rate: Pick<Rate, 'centsPerTokenE6'>): bigint {
  return (amount * rate.centsPerTokenE6) / (ONE_CMP * RATE_SCALE);
}

/**
 * Cents of each part, by largest remainder: every part is its exact value rounded down or up, and together they are
 * exactly `toCents` of the sum. Equal remainders go to the earlier part.
 */
export function shareCents(parts: readonly bigint[], rate: Pick<Rate, 'centsPerTokenE6'>): bigint[] {
  const unit = ONE_CMP * RATE_SCALE;
  const exact = parts.map((part) => part * rate.centsPerTokenE6);
  const shares = exact.map((value) => value / unit);
  const total = exact.reduce((sum, value) => sum + value, 0n) / unit;
  const missing = Number(total - shares.reduce((sum, value) => sum + value, 0n));
  const byRemainder = exact.map((value, index) => ({ index, remainder: value % unit }));
  byRemainder.sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of byRemainder.slice(0, missing)) shares[index] = shares[index]! + 1n;
  return shares;
}

function split(value: bigint, decimals: number): { sign: string; whole: string; fraction: string } {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  return { sign: value < 0n ? '-' : '', whole: digits.slice(0, -decimals), fraction: digits.slice(-decimals) };
}
