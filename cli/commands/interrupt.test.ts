import { expect, it } from 'vitest';
import { interruptible } from './interrupt.ts';

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s aborts the work and becomes exit code %i', async (signal, exitCode) => {
  const before = process.listenerCount(signal);
  const left = { stopped: 'Stopped.', remedy: 'Go on.' };
  const work = interruptible(left, (stop) => {
    process.emit(signal, signal);
    return Promise.reject(stop.reason);
  });
  await expect(work).rejects.toMatchObject({ code: 'Cancelled', message: 'Stopped.', remedy: 'Go on.', exitCode });
  expect(process.listenerCount(signal)).toBe(before);
});
