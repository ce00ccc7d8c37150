/**
 * What a unit costs. Work is counted in FarmBench-hours (FBh): a node's measured score times hours. A unit's price is
 * fixed before it starts, so a slow or lying node earns no more for a picture.
 */
import { FarmError } from '../errors.ts';
import { MAX_AMOUNT } from './amount.ts';

/** FBh are kept in billionths, as integers. */
export const NANO_FBH = 1_000_000_000n;

/** Room that the suggested cap leaves above the quoted price, for frames that must be rendered again: a tenth. */
const CAP_HEADROOM_BASIS_POINTS = 1000n;

/**
 * Work of a unit from an estimate.
 * @param seconds that a node of `score` is expected to take
 * @param score FarmBench score of that node; 1.0 is the reference machine
 * @returns billionths of an FBh, rounded down, at least 1
 * @throws FarmError `Internal` when the estimate is no finite positive number
 */
export function workNanoFbh(seconds: number, score: number): bigint {
  const nano = (seconds * score * 1e9) / 3600;
  if (!(seconds > 0 && score > 0 && nano <= Number.MAX_SAFE_INTEGER)) {
    throw new FarmError('Internal', `An estimate of ${seconds} s at score ${score} gives no price.`, {
      seconds,
      score,
    });
  }
  const whole = BigInt(Math.floor(nano));
  return whole > 0n ? whole : 1n;
}

/** Billionths of an FBh as decimal text, for people: `0.0125`. */
export function formatFbh(nanoFbh: bigint): string {
  const digits = nanoFbh.toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return fraction ? `${digits.slice(0, -9)}.${fraction}` : digits.slice(0, -9);
}

/**
 * Price of a unit in base units: work × price per FBh, rounded down, so that rounding never favours the payee.
 * @throws FarmError `Internal` where the price leaves the contracts' range or comes out as nothing
 */
export function unitPrice(nanoFbh: bigint, pricePerFbh: bigint): bigint {
  const price = (nanoFbh * pricePerFbh) / NANO_FBH;
  if (price <= 0n || price > MAX_AMOUNT) {
    throw new FarmError('Internal', `${nanoFbh} nano-FBh at ${pricePerFbh} base units for an FBh give no valid price.`);
  }
  return price;
}

/** The work that a price stands for, in billionths of an FBh, rounded up: the inverse of `unitPrice` for display. */
export function workOfPrice(price: bigint, pricePerFbh: bigint): bigint {
  return (price * NANO_FBH + pricePerFbh - 1n) / pricePerFbh;
}

/** Totals of a quote. */
export interface QuoteTotals {
  unitPrice: bigint;
  unitCount: number;
  /** Price of all units. */
  total: bigint;
  /** `total` and the headroom, rounded up to a unit's price: enough for some frames more than once. */
  suggestedCap: bigint;
}

/**
 * Totals for units of one price.
 * @throws FarmError `FrameRangeTooLarge` when the job would not fit into the contracts' range
 */
export function quoteTotals(price: bigint, unitCount: number): QuoteTotals {
  const total = price * BigInt(unitCount);
  const headroom = (total * CAP_HEADROOM_BASIS_POINTS + 9_999n) / 10_000n;
  const spareUnits = (headroom + price - 1n) / price;
  const suggestedCap = total + spareUnits * price;
  if (suggestedCap > MAX_AMOUNT) {
    throw new FarmError(
      'FrameRangeTooLarge',
      `${unitCount} units at ${price} base units are more than a job can hold.`,
    );
  }
  return { unitPrice: price, unitCount, total, suggestedCap };
}

/**
 * Refuses a cap under which no frame could be rendered.
 * @throws FarmError `CapTooSmall`
 */
export function requireCapForOneUnit(cap: bigint, price: bigint): void {
  if (cap < price) {
    throw new FarmError('CapTooSmall', 'The cap does not pay for a single frame.', {
      cap: cap.toString(),
      unitPrice: price.toString(),
    });
  }
}
