/** An invoice's lines as CSV (RFC 4180, UTF-8, CRLF, header first) for spreadsheets and accounting. */
import { formatCents, formatCmp } from '../../../domain/money/amount.ts';
import type { Invoice, InvoiceLine, InvoiceUnit } from '../../../domain/money/invoice.ts';
import { formatFbh } from '../../../domain/money/pricing.ts';
import type { InvoiceStanding } from './standing.ts';

type Cell = string | number;

/**
 * @param detail a row for each line, or for each unit of each line. Units carry no currency: cents are shared among lines only
 * @returns the whole file's text
 */
export function invoiceCsv(invoice: Invoice, standing: InvoiceStanding, detail: 'lines' | 'units' = 'lines'): string {
  const rows: Record<string, Cell>[] =
    detail === 'lines'
      ? invoice.lines.map((line) => lineRow(invoice, standing, line))
      : invoice.lines.flatMap((line) => line.units.map((unit) => unitRow(invoice, line, unit)));
  const header = detail === 'lines' ? LINE_COLUMNS : UNIT_COLUMNS;
  return [header, ...rows.map((row) => header.map((column) => row[column] ?? ''))].map(record).join('');
}

const LINE_COLUMNS = [
  ...['invoice', 'issued_at', 'job_id', 'job', 'line', 'node', 'node_account', 'chunk_id', 'frames', 'units', 'fbh'],
  ...[
    'cmp',
    'cmp_base_units',
    'currency',
    'net',
    'units_root',
    'leaf',
    'root',
    'chain_id',
    'settlement',
    'transaction',
  ],
];

const UNIT_COLUMNS = [
  ...['invoice', 'job_id', 'line', 'node', 'node_account', 'chunk_id', 'unit_id', 'frame', 'take', 'tile'],
  ...['cmp', 'cmp_base_units', 'exr_sha256'],
];

function lineRow(invoice: Invoice, standing: InvoiceStanding, line: InvoiceLine): Record<string, Cell> {
  return {
    ...{ invoice: invoice.number, issued_at: invoice.issuedAt, job_id: invoice.jobId, job: invoice.jobName },
    ...{ line: line.line, node: line.nodeName, node_account: line.nodeAccount, chunk_id: line.chunkId },
    ...{ frames: line.frames, units: line.units.length, fbh: formatFbh(BigInt(line.nanoFbh)) },
    ...{ cmp: formatCmp(BigInt(line.amount)), cmp_base_units: line.amount },
    ...{ currency: invoice.rate.currency, net: formatCents(BigInt(line.netCents)) },
    ...{ units_root: line.unitsRoot, leaf: line.leaf, root: invoice.root },
    ...{ chain_id: invoice.chain.chainId, settlement: invoice.chain.settlement },
    transaction: standing.transaction ?? '',
  };
}

function unitRow(invoice: Invoice, line: InvoiceLine, unit: InvoiceUnit): Record<string, Cell> {
  return {
    ...{ invoice: invoice.number, job_id: invoice.jobId, line: line.line },
    ...{ node: line.nodeName, node_account: line.nodeAccount, chunk_id: line.chunkId },
    ...{ unit_id: unit.unitId, frame: unit.frame, take: unit.take, tile: unit.tile },
    ...{ cmp: formatCmp(BigInt(unit.amount)), cmp_base_units: unit.amount, exr_sha256: unit.exrHash },
  };
}

const record = (cells: readonly Cell[]): string => `${cells.map(field).join(',')}\r\n`;

/** Text that a spreadsheet would take for a formula is written as text: job and node names come from strangers. */
function field(cell: Cell): string {
  const text = typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
