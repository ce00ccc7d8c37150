import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { receiptUnitsRoot } from '../../domain/money/merkle.ts';
import { objectionTo } from './receipts.ts';
import { Tally } from './tally.ts';

const JOB = '01980000-0000-7000-8000-000000000001';
const unitId = (n: number): string => `01980000-0000-7000-8000-1000000000${String(n).padStart(2, '0')}`;
const SETTLEMENT = `0x${'5'.repeat(40)}`;

describe('a node looks at a receipt before it signs', () => {
  let folder: string;
  let tally: Tally;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'framewright-tally-'));
    tally = new Tally(folder);
    for (const n of [1, 2, 3]) await tally.record(JOB, unitId(n), BigInt(n) * 100n);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const receipt = (numbers: number[], changes: Record<string, unknown> = {}) => {
    const units = numbers.map((n) => ({ unitId: unitId(n), amount: BigInt(n) * 100n }));
    return {
      jobId: JOB,
      sequence: 1,
      cumulative: String(units.reduce((sum, { amount }) => sum + amount, 0n)),
      unitCount: units.length,
      unitsRoot: receiptUnitsRoot(units),
      units: units.map((unit) => ({ ...unit, amount: String(unit.amount) })),
      chainId: 31_337,
      settlement: SETTLEMENT,
      ...changes,
    };
  };

  it('agrees with what it delivered, also with a part of it', async () => {
    expect(await objectionTo(receipt([1, 2, 3]), tally)).toBeNull();
    expect(await objectionTo(receipt([2]), tally)).toBeNull();
  });

  it.each([
    ['a unit it never delivered', [1, 4], {}, /never delivered/],
    ['a unit twice', [1, 1], {}, /twice/],
    ['a sum that the units do not give', [1, 2], { cumulative: '299' }, /sum to 300/],
    ['a root of other units', [1, 2], { unitsRoot: `0x${'0'.repeat(64)}` }, /root/],
    ['a wrong count', [1, 2], { unitCount: 3 }, /number/],
  ])('refuses %s', async (_, numbers, changes, reason) => {
    expect(await objectionTo(receipt(numbers, changes), tally)).toMatch(reason);
  });

  it('refuses another price than agreed', async () => {
    const cheap = receipt([1]);
    cheap.units[0]!.amount = '99';
    expect(await objectionTo({ ...cheap, cumulative: '99' }, tally)).toMatch(/agreed at 100/);
  });

  it('signs only what grows, for the same contract', async () => {
    await tally.recordSigned(JOB, { sequence: 2, cumulative: 300n, chainId: 31_337, settlement: SETTLEMENT });
    expect(await objectionTo(receipt([1, 2], { sequence: 2 }), tally)).toBeNull();
    expect(await objectionTo(receipt([1, 2, 3], { sequence: 2 }), tally)).toMatch(/another sum/);
    expect(await objectionTo(receipt([1, 2, 3], { sequence: 1 }), tally)).toMatch(/earlier/);
    expect(await objectionTo(receipt([2], { sequence: 3 }), tally)).toMatch(/earlier/);
    expect(await objectionTo(receipt([1, 2, 3], { sequence: 3, chainId: 1 }), tally)).toMatch(/deployment/);
  });

  it('survives a line that a crash cut short', async () => {
    await appendFile(join(folder, `${JOB}.units.jsonl`), '{"unitId":"0198');
    expect(await objectionTo(receipt([1, 2, 3]), tally)).toBeNull();
  });
});
