import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE_CMP } from './amount.ts';
import { EMPTY_ROOT, makeBatch } from './batch.ts';
import { chainId32, uuidOfChainId } from './chainIds.ts';
import { computeInvoice, type Invoice, type InvoiceInput, inputOf, invoiceProblems } from './invoice.ts';
import { verifyLine } from './merkle.ts';

const uuid = (n: number) => `01930000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

/** An invoice over lines given as base units of each unit. */
function input(lines: bigint[][], options: Partial<InvoiceInput> = {}): InvoiceInput {
  let unit = 0;
  return {
    number: 'FW-2026-0001',
    issuedAt: '2026-11-23T08:00:00Z',
    jobId: uuid(1),
    jobName: 'demo',
    performedFrom: '2026-11-23T07:00:00Z',
    performedTo: '2026-11-23T07:30:00Z',
    seller: { name: 'Farm', address: ['1 Render Row'], account: `0x${hex(1, 40)}` },
    buyer: { name: 'Studio', address: ['2 Film Street'], account: `0x${hex(2, 40)}` },
    rate: { currency: 'EUR', centsPerTokenE6: 25_000_000n, at: '2026-11-23T07:00:00Z', source: 'tariff' },
    taxBasisPoints: 1900,
    pricePerFbh: 2n * ONE_CMP,
    chain: { chainId: 31337, token: `0x${hex(3, 40)}`, escrow: `0x${hex(4, 40)}`, settlement: `0x${hex(5, 40)}` },
    lines: lines.map((amounts, index) => ({
      nodeId: uuid(100 + (index % 2)),
      nodeName: `node-${index % 2}`,
      nodeAccount: `0x${hex(0xa0 + (index % 2), 40)}`,
      chunkId: uuid(200 + index),
      salt: `0x${hex(index + 1, 64)}`,
      units: amounts.map((amount) => {
        unit++;
        return { unitId: uuid(1000 + unit), frame: unit, take: 1, tile: 0, amount, exrHash: hex(unit, 64) };
      }),
    })),
    ...options,
  };
}

const sum = (values: bigint[]) => values.reduce((a, b) => a + b, 0n);
const anyLines = fc.array(fc.array(fc.bigInt(1n, 10n ** 21n), { minLength: 1, maxLength: 6 }), { maxLength: 12 });

describe('computeInvoice', () => {
  it('adds up to the base unit and to the cent, whatever the lines', () => {
    fc.assert(
      fc.property(anyLines, fc.integer({ min: 0, max: 10_000 }), (lines, taxBasisPoints) => {
        const invoice = computeInvoice(input(lines, { taxBasisPoints }));
        expect(sum(invoice.lines.map((line) => BigInt(line.amount)))).toBe(BigInt(invoice.total));
        expect(sum(invoice.lines.map((line) => BigInt(line.netCents)))).toBe(BigInt(invoice.netCents));
        expect(BigInt(invoice.netCents) + BigInt(invoice.taxCents)).toBe(BigInt(invoice.grossCents));
        for (const line of invoice.lines) {
          expect(sum(line.units.map((unit) => BigInt(unit.amount)))).toBe(BigInt(line.amount));
        }
        const batch = makeBatch(
          invoice.jobId,
          invoice.root,
          invoice.lines.map((line) => ({ node: line.nodeAccount, amount: BigInt(line.amount) })),
        );
        expect(batch.total).toBe(BigInt(invoice.total));
        expect(sum(batch.payouts.map((payout) => payout.total))).toBe(batch.total);
        expect(invoiceProblems(JSON.parse(JSON.stringify(invoice)) as Invoice)).toEqual([]);
      }),
      { seed: 3, numRuns: 25 },
    );
  });

  it('proves each line against the root, and no other', () => {
    const invoice = computeInvoice(input([[ONE_CMP], [ONE_CMP, ONE_CMP], [3n]]));
    for (const line of invoice.lines) {
      const leaf = {
        jobId: invoice.jobId,
        index: line.line - 1,
        node: line.nodeAccount,
        amount: BigInt(line.amount),
        unitsRoot: line.unitsRoot,
        salt: line.salt,
      };
      expect(verifyLine(invoice.root, leaf, line.proof)).toBe(true);
      expect(verifyLine(invoice.root, { ...leaf, amount: leaf.amount + 1n }, line.proof)).toBe(false);
      expect(verifyLine(invoice.root, { ...leaf, salt: `0x${hex(99, 64)}` }, line.proof)).toBe(false);
    }
  });

  it('names frames as ranges, rounds net down and tax half up', () => {
    const invoice = computeInvoice(input([[ONE_CMP, ONE_CMP, ONE_CMP]]));
    expect(invoice.lines[0]!.frames).toBe('1-3');
    expect([invoice.netCents, invoice.taxCents, invoice.grossCents]).toEqual(['75', '14', '89']);
    expect(invoice.lines[0]!.nanoFbh).toBe('1500000000');
    expect(computeInvoice(input([[ONE_CMP - 1n]])).netCents).toBe('24');
  });

  it('is an invoice over nothing for a job in which nothing was committed', () => {
    const invoice = computeInvoice(input([]));
    expect([invoice.root, invoice.total, invoice.grossCents]).toEqual([EMPTY_ROOT, '0', '0']);
  });

  it('refuses to bill a unit twice or a line without units', () => {
    const twice = input([[1n], [1n]]);
    twice.lines[1]!.units[0]!.unitId = twice.lines[0]!.units[0]!.unitId;
    expect(() => computeInvoice(twice)).toThrow(/billed twice/);
    expect(() => computeInvoice(input([[]]))).toThrow(/no units/);
  });

  it('finds every tampered figure', () => {
    const invoice = computeInvoice(input([[ONE_CMP, ONE_CMP], [ONE_CMP]]));
    const tampered = (change: (copy: Invoice) => void) => {
      const copy = structuredClone(invoice);
      change(copy);
      return invoiceProblems(copy);
    };
    expect(tampered(() => {})).toEqual([]);
    expect(
      tampered((copy) => {
        copy.total = '1';
      }),
    ).toHaveLength(1);
    expect(
      tampered((copy) => {
        copy.grossCents = '1';
      }),
    ).toHaveLength(1);
    expect(
      tampered((copy) => {
        copy.lines[1]!.netCents = '26';
      }),
    ).toHaveLength(1);
    expect(
      tampered((copy) => {
        copy.lines[1]!.proof = [];
      }),
    ).toHaveLength(1);
    expect(
      tampered((copy) => {
        copy.lines[0]!.units[0]!.exrHash = hex(77, 64);
      }).join(),
    ).toContain('unitsRoot');
    expect(
      tampered((copy) => {
        copy.lines[0]!.units[0]!.amount = '5';
      }).join(),
    ).toContain('total');
    expect(computeInvoice(inputOf(invoice))).toEqual(invoice);
  });
});

describe('ids on chain', () => {
  it('are padded UUIDs, there and back', () => {
    expect(chainId32(uuid(1))).toBe(`0x${'0'.repeat(32)}01930000000070008000000000000001`);
    expect(uuidOfChainId(chainId32(uuid(255)))).toBe(uuid(255));
    expect(() => chainId32('nonsense')).toThrow(/not a UUID/);
    expect(() => uuidOfChainId(`0x${'f'.repeat(64)}`)).toThrow(/no id of this farm/);
  });
});
