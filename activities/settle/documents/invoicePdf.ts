/** An invoice as PDF, A4: parties, lines, sums, and where on chain it can be checked. */
import PDFDocument from 'pdfkit';
import { formatCents, formatCmp, formatRate, toCents } from '../../../domain/money/amount.ts';
import type { Invoice, InvoiceParty } from '../../../domain/money/invoice.ts';
import { formatFbh } from '../../../domain/money/pricing.ts';
import { FONT, INK, MARGIN, MUTED, pageBottom, pageWidth, printable, rule } from './pdfPage.ts';
import { type Column, drawTable } from './pdfTable.ts';
import { type InvoiceStanding, standingText } from './standing.ts';

type Pdf = PDFKit.PDFDocument;

/**
 * Draws the invoice. The same invoice and standing give the same pages.
 * @returns the file's bytes
 */
export function invoicePdf(invoice: Invoice, standing: InvoiceStanding): Promise<Buffer> {
  const pdf = new PDFDocument({
    size: 'A4',
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: 0 },
    bufferPages: true,
    info: {
      Title: `Invoice ${invoice.number}`,
      Author: printable(invoice.seller.name),
      CreationDate: new Date(invoice.issuedAt),
    },
  });
  const chunks: Buffer[] = [];
  const bytes = new Promise<Buffer>((resolve, reject) => {
    pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
    pdf.on('end', () => resolve(Buffer.concat(chunks)));
    pdf.on('error', reject);
  });
  drawHead(pdf, invoice);
  drawLines(pdf, invoice);
  drawSums(pdf, invoice, standing);
  drawSettlement(pdf, invoice, standing);
  drawFooters(pdf, invoice);
  pdf.end();
  return bytes;
}

function drawHead(pdf: Pdf, invoice: Invoice): void {
  const right = MARGIN + pageWidth(pdf) / 2;
  const half = pageWidth(pdf) / 2;
  pdf.font(FONT.bold).fontSize(24).fillColor(INK).text('Invoice', MARGIN, MARGIN);
  pdf
    .font(FONT.bold)
    .fontSize(12)
    .text(printable(invoice.number), right, MARGIN + 8, { width: half, align: 'right' });
  const top = MARGIN + 48;
  rule(pdf, top - 8);
  const ends = [
    drawParty(pdf, 'From', invoice.seller, MARGIN, top, half / 2 + 30),
    drawParty(pdf, 'Bill to', invoice.buyer, MARGIN + half / 2 + 50, top, half / 2 + 30),
    drawFacts(pdf, invoice, MARGIN + half + 110, top, half - 110),
  ];
  pdf.y = Math.max(...ends) + 20;
}

function drawParty(pdf: Pdf, title: string, party: InvoiceParty, x: number, y: number, width: number): number {
  pdf.font(FONT.plain).fontSize(7.5).fillColor(MUTED).text(title, x, y, { width });
  pdf.font(FONT.bold).fontSize(10).fillColor(INK).text(printable(party.name), { width });
  pdf.font(FONT.plain).fontSize(8.5);
  for (const line of party.address) pdf.text(printable(line), { width });
  if (party.taxId) pdf.text(`VAT ${printable(party.taxId)}`, { width });
  return pdf.y;
}

function drawFacts(pdf: Pdf, invoice: Invoice, x: number, top: number, width: number): number {
  const facts: [string, string][] = [
    ['Date of issue', day(invoice.issuedAt)],
    ['Service from', day(invoice.performedFrom)],
    ['Service to', day(invoice.performedTo)],
    ['Currency', invoice.rate.currency],
  ];
  let y = top;
  for (const [name, value] of facts) {
    pdf
      .font(FONT.plain)
      .fontSize(7.5)
      .fillColor(MUTED)
      .text(name, x, y + 1, { width: width / 2 });
    pdf
      .fontSize(8.5)
      .fillColor(INK)
      .text(value, x + width / 2, y, { width: width / 2, align: 'right' });
    y += 13;
  }
  return y;
}

interface Row {
  line: string;
  node: string;
  chunk: string;
  frames: string;
  units: string;
  fbh: string;
  cmp: string;
  net: string;
}

function drawLines(pdf: Pdf, invoice: Invoice): void {
  const y = pdf.y;
  pdf.font(FONT.bold).fontSize(10).fillColor(INK);
  pdf.text(`Rendering: ${printable(invoice.jobName)}`, MARGIN, y, { width: pageWidth(pdf) });
  pdf.font(FONT.plain).fontSize(7.5).fillColor(MUTED);
  pdf.text(
    `Job ${invoice.jobId}. Price: ${formatCmp(BigInt(invoice.pricePerFbh))} CMP per FarmBench-hour (FBh), as quoted.`,
  );
  pdf.y += 8;
  const columns: Column<Row>[] = [
    { title: '#', width: 22, value: (row) => row.line },
    { title: 'Node', width: 86, value: (row) => row.node },
    { title: 'Chunk', width: 48, value: (row) => row.chunk },
    { title: 'Frames', width: 84, value: (row) => row.frames },
    { title: 'Units', width: 30, align: 'right', value: (row) => row.units },
    { title: 'FBh', width: 62, align: 'right', value: (row) => row.fbh },
    { title: 'CMP', width: 104, align: 'right', value: (row) => row.cmp },
    { title: `Net ${invoice.rate.currency}`, width: 63, align: 'right', value: (row) => row.net },
  ];
  const rows = invoice.lines.map((line) => ({
    line: String(line.line),
    node: printable(line.nodeName),
    // Ids are ordered by time, so their ends tell them apart.
    chunk: line.chunkId.slice(-8),
    frames: line.frames.replaceAll(',', ', '),
    units: String(line.units.length),
    fbh: formatFbh(BigInt(line.nanoFbh)),
    cmp: formatCmp(BigInt(line.amount)),
    net: formatCents(BigInt(line.netCents)),
  }));
  if (invoice.cached) {
    const { count, frames } = invoice.cached;
    pdf.font(FONT.plain).fontSize(7.5).fillColor(MUTED);
    pdf.text(
      `${count} frames of the job came from the frame cache and are not billed: ${frames.replaceAll(',', ', ')}.`,
    );
    pdf.y += 6;
  }
  drawTable(pdf, columns, rows, 'No frame of this job was committed, so nothing is billed.');
}

function drawSums(pdf: Pdf, invoice: Invoice, standing: InvoiceStanding): void {
  const { currency } = invoice.rate;
  const taxRate = `${(invoice.taxBasisPoints / 100).toFixed(2)} %`;
  const rate = { centsPerTokenE6: BigInt(invoice.rate.centsPerTokenE6) };
  const paid = standing.status === 'paid' ? toCents(BigInt(invoice.total), rate) : 0n;
  const sums: { name: string; value: string; strong?: boolean }[] = [
    { name: 'Net', value: formatCents(BigInt(invoice.netCents)) },
    {
      name: `Tax ${taxRate}${invoice.taxNote ? ` (${printable(invoice.taxNote)})` : ''}`,
      value: formatCents(BigInt(invoice.taxCents)),
    },
    { name: `Total ${currency}`, value: formatCents(BigInt(invoice.grossCents)), strong: true },
    {
      name: `Paid: ${standing.status === 'paid' ? formatCmp(BigInt(invoice.total)) : '0'} CMP from escrow`,
      value: formatCents(paid),
    },
    { name: `Open ${currency}`, value: formatCents(BigInt(invoice.grossCents) - paid), strong: true },
  ];
  needSpace(pdf, sums.length * 15 + 16);
  const width = 300;
  const x = MARGIN + pageWidth(pdf) - width;
  let y = pdf.y + 10;
  for (const { name, value, strong } of sums) {
    pdf
      .font(strong ? FONT.bold : FONT.plain)
      .fontSize(9)
      .fillColor(INK);
    pdf.text(name, x, y, { width: width - 90, align: 'right' });
    pdf.text(value, x + width - 80, y, { width: 80, align: 'right' });
    y += 15;
  }
  pdf.y = y + 10;
}

function drawSettlement(pdf: Pdf, invoice: Invoice, standing: InvoiceStanding): void {
  const { chain, rate } = invoice;
  const facts: [string, string][] = [
    [
      'Rate',
      `1 CMP = ${formatRate({ centsPerTokenE6: BigInt(rate.centsPerTokenE6) })} ${rate.currency} on ${moment(rate.at)} (${printable(rate.source)})`,
    ],
    ['Sum in CMP', `${formatCmp(BigInt(invoice.total))} (${invoice.total} base units of 10^-${invoice.tokenDecimals})`],
    ['Chain id', String(chain.chainId)],
    ['Token (CMP)', chain.token],
    ['Escrow', chain.escrow],
    ['Settlement', chain.settlement],
    ['Root of lines', invoice.root],
    ['Transaction', standing.transaction ?? 'not posted yet'],
    ["Payer's account", invoice.buyer.account],
    ['Standing', standingText(standing)],
  ];
  needSpace(pdf, facts.length * 12 + 44);
  rule(pdf, pdf.y);
  pdf
    .font(FONT.bold)
    .fontSize(9)
    .fillColor(INK)
    .text('Settlement on chain', MARGIN, pdf.y + 8);
  pdf.y += 4;
  for (const [name, value] of facts) {
    const y = pdf.y;
    pdf.font(FONT.plain).fontSize(7.5).fillColor(MUTED).text(name, MARGIN, y, { width: 84 });
    pdf.font(/^0x/.test(value) ? FONT.mono : FONT.plain).fillColor(INK);
    pdf.text(value, MARGIN + 88, y, { width: pageWidth(pdf) - 88 });
    pdf.y += 2;
  }
  pdf.font(FONT.plain).fontSize(7).fillColor(MUTED);
  pdf.text(
    'Cents are CMP at the rate, rounded down on the net sum and shared among the lines by largest remainder. Tax is rounded half up on the net sum.',
    MARGIN,
    pdf.y + 6,
    { width: pageWidth(pdf) },
  );
}

function drawFooters(pdf: Pdf, invoice: Invoice): void {
  const { count } = pdf.bufferedPageRange();
  for (let page = 0; page < count; page++) {
    pdf.switchToPage(page);
    pdf.font(FONT.plain).fontSize(7.5).fillColor(MUTED);
    const y = pageBottom(pdf) + 12;
    pdf.text(`${printable(invoice.seller.name)}, invoice ${printable(invoice.number)}`, MARGIN, y, {
      lineBreak: false,
    });
    pdf.text(`Page ${page + 1} of ${count}`, MARGIN, y, { width: pageWidth(pdf), align: 'right', lineBreak: false });
  }
}

function needSpace(pdf: Pdf, height: number): void {
  if (pdf.y + height > pageBottom(pdf)) pdf.addPage();
}

const day = (iso: string): string => iso.slice(0, 10);
const moment = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;
