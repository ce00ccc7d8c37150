import { describe, expect, it } from 'vitest';
import { exactUnits, formatUnits, parseUnits, shareOf, toCents } from './money.ts';

const one = 10n ** 18n;

describe('formatUnits', () => {
  it.each([
    [0n, '0'],
    [one, '1'],
    [one + one / 2n, '1.5'],
    [1_234_567n * one, '1,234,567'],
    [one / 8n, '0.125'],
    [312_456_789_000_000n, '0.000312'],
    [49_999_999_999_999n, '0.00005'],
    [1n, '0.000000000000000001'],
    [one - 1n, '1'],
    [-one / 2n, '−0.5'],
  ])('writes %s base units as %s', (base, text) => {
    expect(formatUnits(base, 18)).toBe(text);
  });

  it('keeps sums beyond the exact range of floats', () => {
    expect(exactUnits('123456789012345678901234567890', 18)).toBe('123456789012.34567890123456789');
  });
});

describe('parseUnits', () => {
  it.each([
    ['25', 25n * one],
    ['0.1', one / 10n],
    ['.5', one / 2n],
    ['1,200.5', 1200n * one + one / 2n],
    ['0.000000000000000001', 1n],
  ])('reads %s', (text, base) => {
    expect(parseUnits(text, 18)).toBe(base);
  });

  it.each(['', '.', '-1', '1e3', 'abc', '1.2.3', '0.0000000000000000001', '1,2'])('refuses "%s"', (text) => {
    expect(parseUnits(text, 18)).toBeNull();
  });

  it('reads back what exactUnits writes', () => {
    for (const base of [0n, 1n, one, 987_654_321_987_654_321n, 10n ** 30n + 7n]) {
      expect(parseUnits(exactUnits(base, 18), 18)).toBe(base);
    }
  });
});

describe('toCents', () => {
  it('rounds half up, once', () => {
    expect(toCents(one, 25_000_000, 18)).toBe(25);
    expect(toCents(one / 50n, 25_000_000, 18)).toBe(1);
    expect(toCents(one / 50n - 1n, 25_000_000, 18)).toBe(0);
  });
});

describe('shareOf', () => {
  it('stays between 0 and 1 and survives an empty whole', () => {
    expect(shareOf(1n, 4n)).toBe(0.25);
    expect(shareOf(9n, 4n)).toBe(1);
    expect(shareOf(1n, 0n)).toBe(0);
  });
});
