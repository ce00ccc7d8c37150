import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE_CMP } from './amount.ts';
import {
  formatFbh,
  NANO_FBH,
  quoteTotals,
  requireCapForOneUnit,
  unitPrice,
  workNanoFbh,
  workOfPrice,
} from './pricing.ts';

const seed = { seed: 11 };

describe('pricing', () => {
  it('counts an hour at score 1 as one FBh', () => {
    expect(workNanoFbh(3600, 1)).toBe(NANO_FBH);
    expect(workNanoFbh(1800, 2)).toBe(NANO_FBH);
    expect(unitPrice(NANO_FBH / 4n, 2n * ONE_CMP)).toBe(ONE_CMP / 2n);
    expect(formatFbh(12_500_000n)).toBe('0.0125');
    expect(formatFbh(NANO_FBH)).toBe('1');
  });
  it.each([
    [0, 1],
    [1, 0],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [-1, 1],
  ])('refuses an estimate of %d s at score %d', (seconds, score) => {
    expect(() => workNanoFbh(seconds, score)).toThrow(/gives no price/);
  });
  it('rounds prices down, so that the payee never gains by rounding', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 15n), fc.bigInt(NANO_FBH, 10n ** 21n), (work, pricePerFbh) => {
        const price = unitPrice(work, pricePerFbh);
        expect(price * NANO_FBH).toBeLessThanOrEqual(work * pricePerFbh);
        expect((price + 1n) * NANO_FBH).toBeGreaterThan(work * pricePerFbh);
        expect(workOfPrice(price, pricePerFbh)).toBe(work);
      }),
      seed,
    );
  });
  it('suggests a cap of whole units, at least a tenth above the price', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 20n), fc.integer({ min: 1, max: 100_000 }), (price, count) => {
        const { total, suggestedCap } = quoteTotals(price, count);
        expect(total).toBe(price * BigInt(count));
        expect(suggestedCap % price).toBe(0n);
        expect(suggestedCap * 10n).toBeGreaterThanOrEqual(total * 11n);
        expect(suggestedCap - total).toBeGreaterThanOrEqual(price);
      }),
      seed,
    );
  });
  it('refuses a cap below one frame', () => {
    expect(() => requireCapForOneUnit(9n, 10n)).toThrow(/single frame/);
    requireCapForOneUnit(10n, 10n);
  });
});
