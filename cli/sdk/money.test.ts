import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCents, formatToken, parseToken, shortToken } from './money.ts';

describe('token amounts', () => {
  it.each([
    ['0', '0'],
    ['1', '0.000000000000000001'],
    ['1000000000000000000', '1'],
    ['1234500000000000000', '1.2345'],
  ])('writes %s base units as %s', (base, text) => {
    expect(formatToken(base, 18)).toBe(text);
  });

  it('marks what it cuts off', () => {
    expect(shortToken('1234567890000000000', 18)).toBe('1.2345…');
    expect(shortToken('1234500000000000000', 18)).toBe('1.2345');
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.integer({ min: 0, max: 18 }), (amount, decimals) => {
        expect(parseToken(formatToken(amount, decimals), decimals)).toBe(amount.toString());
      }),
      { seed: 11 },
    );
  });

  it.each(['', '-1', '1,5', '1e3', 'x', '0.0000001', '.5'])('refuses "%s" with six decimals', (text) => {
    expect(parseToken(text, 6)).toBeUndefined();
  });
});

describe('formatCents', () => {
  it.each([
    [0, '0.00 EUR'],
    [5, '0.05 EUR'],
    [123456, '1234.56 EUR'],
    [-5, '-0.05 EUR'],
  ])('writes %i as %s', (cents, text) => {
    expect(formatCents(cents, 'EUR')).toBe(text);
  });
});
