import { describe, expect, it } from 'vitest';
import { keyInAddress, withoutKey } from './session.ts';

describe('a key in the address', () => {
  it.each([
    ['http://127.0.0.1:8080/#key=fw_abc', 'fw_abc', '/'],
    ['http://127.0.0.1:8080/jobs/1?a=2#key=fw%2Babc&x=1', 'fw+abc', '/jobs/1?a=2#x=1'],
    ['http://127.0.0.1:8080/?key=fw_abc', 'fw_abc', '/'],
    ['http://127.0.0.1:8080/nodes#top', null, '/nodes#top'],
  ])('%s', (href, key, rest) => {
    expect(keyInAddress(new URL(href))).toBe(key);
    expect(withoutKey(href)).toBe(rest);
  });
});
