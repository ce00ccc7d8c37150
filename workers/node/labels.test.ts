import { expect, it } from 'vitest';
import { machineLabels } from './labels.ts';

it.each([
  ['cpu', 'auto', ['cpu']],
  ['gpu', 'auto', ['cpu', 'gpu']],
  ['gpu', 'gpu', ['gpu']],
  ['cpu', 'cpu', ['cpu']],
] as const)('a node that measured itself on its %s and was told %s offers %j', (found, asked, offered) => {
  expect(machineLabels(4, found, asked)).toMatchObject({
    'attr.framewright.tier': offered,
    'amount.worker.vcpu': 4,
  });
});
