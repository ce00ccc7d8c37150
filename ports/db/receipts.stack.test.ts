import { afterAll, beforeAll, expect, it } from 'vitest';
import { addLeased, addStudio, deliver, hashOf, openTestRecord, type TestRecord } from '../../test/support/rows.ts';
import { commitUnit } from './commit.ts';
import { lockJobState } from './locks.ts';
import { nextReceipt, type ReceiptUnit } from './receipts.ts';

let record: TestRecord;
let studioId: string;

beforeAll(async () => {
  record = await openTestRecord();
  studioId = await addStudio(record.database, 'studio');
});
afterAll(() => record?.close());

const rootOf = (units: ReceiptUnit[]): string => `0x${hashOf(units.map(({ unitId }) => unitId).join())}`;

async function leased(name: string, frames: number) {
  const { database } = record;
  const { jobId, node, lease } = await addLeased(database, { studioId, name, frames });
  const commit = async (unitId: string) => {
    await deliver(database, lease, node.id, unitId);
    await database.asService((tx) => commitUnit(tx, { unitId, leaseNumber: lease.leaseNumber }));
  };
  return { jobId, nodeId: node.id, unitIds: lease.units.map(({ unitId }) => unitId), commit };
}

it('a receipt neither waits for the lock of its job nor takes it', async () => {
  const { jobId, nodeId, unitIds, commit } = await leased('unlocked', 3);
  await commit(unitIds[0]!);
  await record.database.asService(async (tx) => {
    await lockJobState(tx, jobId);
    const made = record.database.singly((statements) =>
      nextReceipt(statements, { jobId, nodeId, computeRoot: rootOf }),
    );
    expect(await made).toMatchObject({ sequence: 1, unitCount: 1 });
  });
  await commit(unitIds[1]!);
  await record.database.singly((statements) =>
    nextReceipt(statements, {
      ...{ jobId, nodeId },
      // Somebody signs for a while, and the job goes on.
      computeRoot: async (units) => {
        await commit(unitIds[2]!);
        return rootOf(units);
      },
    }),
  );
  const newest = await record.database.singly((statements) =>
    nextReceipt(statements, { jobId, nodeId, computeRoot: rootOf }),
  );
  expect(newest).toMatchObject({ sequence: 3, unitCount: 3 });
});

it('receipts made side by side with each other and with commits are one chain that ends with all units', async () => {
  const { jobId, nodeId, unitIds, commit } = await leased('side-by-side', 12);
  const make = () =>
    record.database.singly((statements) =>
      nextReceipt(statements, {
        ...{ jobId, nodeId },
        computeRoot: async (units) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return rootOf(units);
        },
      }),
    );
  await Promise.all(unitIds.map(async (unitId) => Promise.all([commit(unitId).then(make), make(), make()])));
  await make();
  const chain = await record.query<{ sequence: string; cumulative: string; unit_count: number; units_root: string }>(
    'SELECT sequence, cumulative, unit_count, units_root FROM receipts WHERE job_id = $1 ORDER BY sequence',
    [jobId],
  );
  const lines = await record.query<{ unit_id: string }>(
    'SELECT unit_id FROM receipt_lines WHERE job_id = $1 ORDER BY line',
    [jobId],
  );
  expect(chain.map(({ sequence }) => Number(sequence))).toEqual(chain.map((_, index) => index + 1));
  const counts = chain.map(({ unit_count }) => unit_count);
  expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
  expect(counts.at(-1)).toBe(12);
  for (const { cumulative, unit_count, units_root } of chain) {
    expect(Number(cumulative)).toBe(unit_count * 10);
    expect(units_root).toBe(
      `0x${hashOf(
        lines
          .slice(0, unit_count)
          .map(({ unit_id }) => unit_id)
          .join(),
      )}`,
    );
  }
});
