import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FarmError } from '../errors.ts';
import {
  formatCents,
  formatCmp,
  formatRate,
  MAX_AMOUNT,
  ONE_CMP,
  parseBaseUnits,
  parseCmp,
  shareCents,
  toCents,
} from './amount.ts';

const amounts = fc.bigInt(0n, MAX_AMOUNT);
const rates = fc.bigInt(1n, 10n ** 12n).map((centsPerTokenE6) => ({ centsPerTokenE6 }));
const seed = { seed: 7 };

describe('CMP as text', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(amounts, (amount) => parseCmp(formatCmp(amount)) === amount),
      seed,
    );
  });
  it.each([
    ['25', 25n * ONE_CMP],
    ['0.5', ONE_CMP / 2n],
    ['0.000000000000000001', 1n],
  ])('reads %s', (text, amount) => expect(parseCmp(text)).toBe(amount));
  it.each(['', '-1', '1e3', '1.', '.5', '1,5', '0.0000000000000000001', '0x10', '9'.repeat(39)])(
    'refuses "%s"',
    (text) => {
      expect(() => parseCmp(text, 'cap')).toThrow(FarmError);
    },
  );
  it('marks what it cuts off', () => {
    expect(formatCmp(1_234_567n * 10n ** 12n, 2)).toBe('1.23…');
    expect(formatCmp(ONE_CMP, 2)).toBe('1');
    expect(formatCmp(-ONE_CMP / 2n)).toBe('-0.5');
  });
  it('refuses base units that JSON should not carry', () => {
    expect(parseBaseUnits('120')).toBe(120n);
    for (const text of ['', '01', '1.0', '-1', '1e5']) expect(() => parseBaseUnits(text)).toThrow(FarmError);
  });
});

describe('cents', () => {
  it('formats', () => {
    expect([formatCents(5n), formatCents(1205n), formatCents(-50n)]).toEqual(['0.05', '12.05', '-0.50']);
    expect(formatRate({ centsPerTokenE6: 25_000_000n })).toBe('0.25');
    expect(formatRate({ centsPerTokenE6: 1n })).toBe('0.00000001');
  });
  it('never favours the payee: cents are worth at most what was paid', () => {
    fc.assert(
      fc.property(amounts, rates, (amount, rate) => {
        const cents = toCents(amount, rate);
        const exact = amount * rate.centsPerTokenE6;
        expect(cents * ONE_CMP * 1_000_000n).toBeLessThanOrEqual(exact);
        expect((cents + 1n) * ONE_CMP * 1_000_000n).toBeGreaterThan(exact);
      }),
      seed,
    );
  });
  it('parts add up to the rounded sum, each within a cent of its own value', () => {
    fc.assert(
      fc.property(fc.array(amounts, { maxLength: 40 }), rates, (parts, rate) => {
        const shares = shareCents(parts, rate);
        const sum = parts.reduce((a, b) => a + b, 0n);
        expect(shares.reduce((a, b) => a + b, 0n)).toBe(toCents(sum, rate));
        for (const [index, part] of parts.entries()) {
          expect([toCents(part, rate), toCents(part, rate) + 1n]).toContain(shares[index]);
        }
      }),
      seed,
    );
  });
  it('gives the spare cent to the largest remainder, then to the earlier part', () => {
    const rate = { centsPerTokenE6: 1_000_000n };
    const tenth = ONE_CMP / 10n;
    expect(shareCents([4n * tenth, 6n * tenth], rate)).toEqual([0n, 1n]);
    expect(shareCents([5n * tenth, 5n * tenth], rate)).toEqual([1n, 0n]);
  });
});
