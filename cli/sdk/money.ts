/** Amounts for people. Money is integers in token base units; nothing here ever becomes a float. */

/** `1234500000000000000`, 18 decimals → `1.2345`. Never rounds: all digits that are not trailing zeros stay. */
export function formatToken(baseUnits: string | bigint, decimals: number): string {
  const digits = BigInt(baseUnits)
    .toString()
    .padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** Like `formatToken` with at most `places` decimals, cut (not rounded up) and marked with `…` when digits are missing. */
export function shortToken(baseUnits: string | bigint, decimals: number, places = 4): string {
  const [whole = '0', fraction = ''] = formatToken(baseUnits, decimals).split('.');
  if (fraction.length <= places) return fraction === '' ? whole : `${whole}.${fraction}`;
  return `${whole}.${fraction.slice(0, places)}…`;
}

/** `1.25` → base units as a decimal string; undefined when the text is not an amount with at most `decimals` decimals. */
export function parseToken(text: string, decimals: number): string | undefined {
  const match = /^(\d{1,40})(?:\.(\d{1,40}))?$/.exec(text.trim());
  if (!match || (match[2] ?? '').length > decimals) return undefined;
  return BigInt(match[1]! + (match[2] ?? '').padEnd(decimals, '0')).toString();
}

/** Minor units of a currency, e.g. `formatCents(1234, 'EUR')` → `12.34 EUR`. */
export function formatCents(cents: number, currency: string): string {
  const sign = cents < 0 ? '-' : '';
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)} ${currency}`;
}
