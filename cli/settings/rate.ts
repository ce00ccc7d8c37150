/** Rates of links as people write them. */
import { refuse } from '../sdk/errors.ts';

const FACTORS: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/**
 * `330Mbit`, `41.25MB`, `1Gbit` as bytes a second: `bit` counts in bits, `B` in bytes, k M G in thousands.
 * @throws FarmApiError `SettingInvalid`
 */
export function parseRate(text: string, setting: string): number {
  const [, number, factor, unit] = /^(\d+(?:\.\d+)?)\s*([kMG]?)(bit|B)(?:\/s)?$/.exec(text.trim()) ?? [];
  const rate = (Number(number) * (FACTORS[factor ?? ''] ?? 0)) / (unit === 'bit' ? 8 : 1);
  if (rate > 0) return rate;
  throw refuse('SettingInvalid', `--${setting} is "${text}", which is no rate.`, 'Write it as 330Mbit or 41MB.', {
    setting,
  });
}

/** The other way round, in bits; nothing for a link that is no limit. */
export function rateText(bytes: number | null): string {
  if (bytes === null) return '';
  const bits = bytes * 8;
  const [factor, letter] = bits >= 1e9 ? [1e9, 'G'] : bits >= 1e6 ? [1e6, 'M'] : [1e3, 'k'];
  return `${Math.round((bits / factor) * 100) / 100}${letter}bit`;
}
