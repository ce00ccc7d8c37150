import { expect, it } from 'vitest';
import { parseRate, rateText } from './rate.ts';

it('reads and writes rates', () => {
  expect(['330Mbit', '41.25MB/s', '1Gbit', '8 kbit'].map((text) => parseRate(text, 'up'))).toEqual([
    41.25e6, 41.25e6, 125e6, 1e3,
  ]);
  expect([41.25e6, 125e6, 1e3, null].map(rateText)).toEqual(['330Mbit', '1Gbit', '8kbit', '']);
  for (const wrong of ['330', 'Mbit', '0Mbit', '-1Mbit', '1 Tbit', '330mb']) {
    expect(() => parseRate(wrong, 'up')).toThrow(expect.objectContaining({ code: 'SettingInvalid' }));
  }
});
