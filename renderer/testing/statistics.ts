/** Statistics with which tests decide: nothing here may be tuned to a result. */
import jstat from 'jstat';

/** Significance with which each of `count` independent tests must reject so that all of them together have `alpha` (Šidák 1967). */
export function sidak(alpha: number, count: number): number {
  return 1 - (1 - alpha) ** (1 / Math.max(1, count));
}

/** Probability that a chi-square variable with so many degrees of freedom is larger than `x`. */
export function chiSquareSurvival(x: number, degreesOfFreedom: number): number {
  return 1 - jstat.chisquare.cdf(x, degreesOfFreedom);
}

/**
 * Pearson's test of counts against expected counts: the p-value. Cells that expect fewer than five are put together, as the
 * chi-square approximation asks. A count where next to nothing is expected gives 0.
 */
export function chiSquareTest(observed: ArrayLike<number>, expected: ArrayLike<number>): number {
  let statistic = 0;
  let cells = 0;
  let [pooledObserved, pooledExpected] = [0, 0];
  const order = Array.from({ length: expected.length }, (_, i) => i).sort((a, b) => expected[a]! - expected[b]!);
  for (const i of order) {
    if (expected[i]! >= 5 && pooledExpected === 0) {
      statistic += (observed[i]! - expected[i]!) ** 2 / expected[i]!;
      cells++;
      continue;
    }
    pooledObserved += observed[i]!;
    pooledExpected += expected[i]!;
    if (pooledExpected < 5) continue;
    statistic += (pooledObserved - pooledExpected) ** 2 / pooledExpected;
    cells++;
    [pooledObserved, pooledExpected] = [0, 0];
  }
  // What is left over expects fewer than five; many counts there are a failure of their own.
  if (pooledObserved > 5 + 10 * Math.sqrt(pooledExpected + 1)) return 0;
  return chiSquareSurvival(statistic, Math.max(1, cells - 1));
}

/** Uniform numbers in [0, 1) that repeat for a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
