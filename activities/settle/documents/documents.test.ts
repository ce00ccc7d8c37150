import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { formatCmp, ONE_CMP } from '../../../domain/money/amount.ts';
import { computeInvoice, type InvoiceInput } from '../../../domain/money/invoice.ts';
import { invoiceCsv } from './invoiceCsv.ts';
import { invoicePdf } from './invoicePdf.ts';
import { printable } from './pdfPage.ts';
import type { InvoiceStanding } from './standing.ts';

const uuid = (n: number) => `01930000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const account = (name: string) => `0x${sha256(name).slice(0, 40)}`;
const PAID: InvoiceStanding = { status: 'paid', transaction: `0x${sha256('tx')}`, proof: 'verified' };

/** An invoice over `lineCount` chunks of four frames each. */
function invoiceOf(lineCount: number, options: Partial<InvoiceInput> = {}) {
  return computeInvoice({
    ...{
      number: 'FW-2026-000042',
      issuedAt: '2026-11-23T08:05:00Z',
      jobId: uuid(1),
      jobName: 'Turntable, hero helmet',
    },
    ...{ performedFrom: '2026-11-22T22:10:00Z', performedTo: '2026-11-23T08:00:00Z' },
    seller: {
      name: 'Framewright',
      address: ['1 Render Row', '10115 Berlin', 'Germany'],
      taxId: 'DE000000000',
      account: account('seller'),
    },
    buyer: { name: 'Łódź Pictures', address: ['Piotrkowska 2', '90-001 Łódź', 'Poland'], account: account('buyer') },
    rate: { currency: 'EUR', centsPerTokenE6: 25_000_000n, at: '2026-11-22T22:00:00Z', source: "the farm's tariff" },
    ...{ taxBasisPoints: 1900, pricePerFbh: 2n * ONE_CMP },
    chain: { chainId: 31337, token: account('token'), escrow: account('escrow'), settlement: account('settlement') },
    lines: Array.from({ length: lineCount }, (_, index) => ({
      ...{ nodeId: uuid(100 + (index % 3)), nodeName: `node-${index % 3}`, nodeAccount: account(`node ${index % 3}`) },
      ...{ chunkId: uuid(200 + index), salt: `0x${sha256(`salt ${index}`)}` },
      units: [0, 1, 2, 4].map((offset) => {
        const frame = index * 5 + offset + 1;
        const amount = 123_456_789_012_345_678n + BigInt(frame);
        return { unitId: uuid(10_000 + frame), frame, take: 1, tile: 0, amount, exrHash: sha256(`frame ${frame}`) };
      }),
    })),
    ...options,
  });
}

/** Reads RFC 4180 back, quotes and all. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  const pattern = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n)/g;
  let row: string[] = [];
  for (const [, cell, end] of text.matchAll(pattern)) {
    row.push(cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!);
    if (end === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

/** What a reader sees, page by page: the strings of each page's content stream. */
function pagesOf(pdf: Buffer): string[] {
  const pages: string[] = [];
  const bytes = pdf.toString('latin1');
  for (const match of bytes.matchAll(/\/FlateDecode\n>>\nstream\n/g)) {
    const start = match.index + match[0].length;
    const content = inflateSync(pdf.subarray(start, bytes.indexOf('\nendstream', start))).toString('latin1');
    const strings = [...content.matchAll(/\[([^\]]*)\] TJ/g)].map(([, array]) =>
      [...array!.matchAll(/<([0-9a-f]*)>/g)].map(([, hex]) => Buffer.from(hex!, 'hex').toString('latin1')).join(''),
    );
    if (strings.length > 0) pages.push(strings.join('\n'));
  }
  return pages;
}

describe('invoiceCsv', () => {
  it('has a row for each line, which add up to the invoice', () => {
    const invoice = invoiceOf(7);
    const [header, ...rows] = parseCsv(invoiceCsv(invoice, PAID));
    expect(rows).toHaveLength(7);
    const column = (name: string) => rows.map((row) => row[header!.indexOf(name)]!);
    expect(column('cmp_base_units').reduce((sum, text) => sum + BigInt(text), 0n)).toBe(BigInt(invoice.total));
    const cents = column('net').reduce((sum, text) => sum + BigInt(text.replace('.', '')), 0n);
    expect(cents).toBe(BigInt(invoice.netCents));
    expect(column('frames')[0]).toBe('1-3,5');
    expect(new Set(column('transaction'))).toEqual(new Set([PAID.transaction]));
    expect(column('leaf')).toEqual(invoice.lines.map((line) => line.leaf));
  });

  it('has a row for each unit, down to the hash of its frame', () => {
    const invoice = invoiceOf(2);
    const [header, ...rows] = parseCsv(invoiceCsv(invoice, PAID, 'units'));
    expect(rows).toHaveLength(8);
    expect(rows[4]![header!.indexOf('frame')]).toBe('6');
    expect(rows[4]![header!.indexOf('exr_sha256')]).toBe(sha256('frame 6'));
  });

  it('quotes what must be quoted and never starts a formula', () => {
    const invoice = invoiceOf(1, { jobName: '=HYPERLINK("http://evil","x")' });
    const [header, row] = parseCsv(invoiceCsv(invoice, { ...PAID, transaction: null }));
    expect(row![header!.indexOf('job')]).toBe(`'=HYPERLINK("http://evil","x")`);
    expect(row).toHaveLength(header!.length);
  });
});

describe('invoicePdf', () => {
  it('says all that a finance person needs, on one page for a small job', async () => {
    const invoice = invoiceOf(3);
    const pages = pagesOf(await invoicePdf(invoice, PAID));
    expect(pages).toHaveLength(1);
    const chain = Object.values(invoice.chain).map(String);
    const sums = ['0.37', '0.07', '0.44', formatCmp(BigInt(invoice.total))];
    expect([invoice.netCents, invoice.taxCents, invoice.grossCents]).toEqual(['37', '7', '44']);
    for (const text of [
      ...chain,
      ...sums,
      invoice.root,
      PAID.transaction!,
      'FW-2026-000042',
      '2026-11-23',
      'Page 1 of 1',
      '1 CMP = 0.25 EUR',
    ]) {
      expect(pages[0]).toContain(text);
    }
    expect(pages[0]).toContain('proved by the root');
  });

  it('goes on over pages, with every line once and the head on each page', async () => {
    const invoice = invoiceOf(120);
    const pages = pagesOf(await invoicePdf(invoice, PAID));
    expect(pages.length).toBeGreaterThan(2);
    for (const [index, page] of pages.entries()) expect(page).toContain(`Page ${index + 1} of ${pages.length}`);
    const all = pages.join('\n').split('\n');
    for (const line of invoice.lines) {
      expect(all.filter((text) => text === line.chunkId.slice(-8))).toHaveLength(1);
    }
  });

  it('is the same for the same invoice, and leaves open what was not paid', async () => {
    const invoice = invoiceOf(1);
    const [once, again] = [await invoicePdf(invoice, PAID), await invoicePdf(invoice, PAID)];
    expect(once.equals(again)).toBe(true);
    const [issued] = pagesOf(await invoicePdf(invoice, { status: 'issued', transaction: null, proof: 'unchecked' }));
    expect(issued).toContain('not posted yet');
    expect(issued).toContain('Paid: 0 CMP');
  });

  it('prints an invoice over nothing', async () => {
    const [page] = pagesOf(await invoicePdf(invoiceOf(0), PAID));
    expect(page).toContain('nothing is billed');
  });

  it('shows letters that the fonts lack without their accents', () => {
    expect(printable('Łódź € 日本 naïve ŠŽ')).toBe('Lódz € ?? naïve ŠŽ');
  });
});
