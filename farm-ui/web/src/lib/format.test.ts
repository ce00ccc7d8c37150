import { describe, expect, it } from 'vitest';
import { formatAgo, formatBytes, formatRate, formatSeconds, shortHash } from './format.ts';

describe('formatSeconds', () => {
  it.each([
    [0, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [3599.6, '1 h 00 min'],
    [7800, '2 h 10 min'],
  ])('%s s is %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [4_404_019, '4.2 MiB'],
    [1024 ** 3 - 1, '1.0 GiB'],
    [300 * 1024 ** 2, '300 MiB'],
  ])('%s is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('formatRate', () => {
  it.each([
    [null, 'no limit'],
    [412_500, '3.3 Mbit/s'],
    [41_250_000, '330 Mbit/s'],
    [1_250_000_000, '10 Gbit/s'],
  ])('%s bytes a second are %s', (rate, text) => expect(formatRate(rate)).toBe(text));
});

describe('formatAgo', () => {
  const now = new Date('2026-11-03T12:00:00Z');
  it.each([
    ['2026-11-03T11:59:30Z', 'just now'],
    ['2026-11-03T11:56:00Z', '4 min ago'],
    ['2026-11-03T09:00:00Z', '3 h ago'],
  ])('%s is %s', (iso, text) => expect(formatAgo(iso, now)).toBe(text));
});

describe('shortHash', () => {
  it('leaves short values whole', () => {
    expect(shortHash('0x1234')).toBe('0x1234');
    expect(shortHash(`0x${'ab'.repeat(32)}`)).toBe('0xababab…abab');
  });
});
