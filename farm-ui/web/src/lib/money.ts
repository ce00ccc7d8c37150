/** Money for people: token base units are bigint throughout, cents are integers; nothing here computes in floats. */

/**
 * Base units as a decimal number, rounded half up to `maxFraction` digits; small sums keep three significant digits.
 * @param base base units, as the API's decimal string or bigint
 */
export function formatUnits(base: string | bigint, decimals: number, maxFraction = 4): string {
  const value = BigInt(base);
  const negative = value < 0n;
  const absolute = negative ? -value : value;
  const zeros = decimals - absolute.toString().length;
  const shown = Math.min(Math.max(maxFraction, zeros + 3), decimals);
  const step = 10n ** BigInt(decimals - shown);
  const rounded = (absolute + step / 2n) / step;
  const scale = 10n ** BigInt(shown);
  const whole = (rounded / scale).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  const fraction = shown === 0 ? '' : (rounded % scale).toString().padStart(shown, '0').replace(/0+$/, '');
  return `${negative ? '−' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** All digits, for titles and input fields: no grouping, no rounding. */
export function exactUnits(base: string | bigint, decimals: number): string {
  const value = BigInt(base);
  const scale = 10n ** BigInt(decimals);
  const fraction = (value % scale).toString().padStart(decimals, '0').replace(/0+$/, '');
  return fraction === '' ? (value / scale).toString() : `${value / scale}.${fraction}`;
}

/** `formatUnits` with the token's symbol. */
export function formatToken(
  base: string | bigint,
  token: { symbol: string; decimals: number },
  maxFraction = 4,
): string {
  return `${formatUnits(base, token.decimals, maxFraction)} ${token.symbol}`;
}

/** A typed amount (`25`, `1,200.5`) as base units; null when it is no such amount or has more digits than the token. */
export function parseUnits(text: string, decimals: number): bigint | null {
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d*))?$/.exec(text.trim());
  if (!match) return null;
  const [, whole = '', fraction = ''] = match;
  if (whole === '' && fraction === '') return null;
  if (fraction.length > decimals) return null;
  return (
    BigInt(whole.replaceAll(',', '') || '0') * 10n ** BigInt(decimals) + BigInt(fraction.padEnd(decimals, '0') || '0')
  );
}

/** Minor units of a currency as people write them. */
export function formatCents(cents: number, currency: string): string {
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(cents / 10 ** digits);
}

/** `formatCents`, but a sum that rounds to nothing is called small, not nothing. */
export function formatCentsOf(cents: number, base: string | bigint, currency: string): string {
  return cents === 0 && BigInt(base) > 0n ? `under ${formatCents(1, currency)}` : formatCents(cents, currency);
}

/** Token base units in minor units of the currency, half up, at `centsPerTokenE6` (millionths of a cent a token). */
export function toCents(base: string | bigint, centsPerTokenE6: number, decimals: number): number {
  const divisor = 10n ** BigInt(decimals + 6);
  return Number((BigInt(base) * BigInt(centsPerTokenE6) + divisor / 2n) / divisor);
}

/** Share of a whole from 0 to 1, for bars; 0 when the whole is 0. */
export function shareOf(part: string | bigint, whole: string | bigint): number {
  const total = BigInt(whole);
  if (total <= 0n) return 0;
  const basisPoints = (BigInt(part) * 10_000n) / total;
  return Math.min(1, Math.max(0, Number(basisPoints) / 10_000));
}
