import { expect, it } from 'vitest';
import { createTraffic } from './traffic.ts';

it('expects bytes later from where more was asked for, until they must have come', () => {
  let now = 1_000;
  const traffic = createTraffic(() => now);
  const slow = { from: 'a', bytesPerSecond: 1_000 };
  const unknown = { from: 'home', bytesPerSecond: null };
  expect(traffic.arrivalMs(slow, 500)).toBe(500);
  traffic.add(slow, 2_000);
  traffic.add(unknown, 1e9);
  expect(traffic.arrivalMs(slow, 500)).toBe(2_500);
  expect(traffic.arrivalMs(unknown, 500)).toBe(0);
  now += 1_500;
  expect(traffic.arrivalMs(slow, 500)).toBe(1_000);
  now += 10_000;
  expect(traffic.arrivalMs(slow, 500)).toBe(500);
});
