/** `farm invoice`: print, write and check the bill of a job. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { connect } from '../connection.ts';
import { table } from '../output/table.ts';
import { FarmApiError } from '../sdk/errors.ts';
import { formatCents, formatToken } from '../sdk/money.ts';
import type { InvoiceView, VerificationView } from '../sdk/types.ts';
import { printJson, withErrors } from './run.ts';

interface InvoiceFlags {
  pdf?: string | boolean;
  csv?: string | boolean;
  verify?: boolean;
  json?: boolean;
}

export function addInvoice(program: Command): void {
  program
    .command('invoice')
    .argument('<job>', 'id of the job')
    .description('Show the invoice of a job')
    .option('--pdf [file]', 'write it as PDF')
    .option('--csv [file]', 'write its lines as CSV')
    .option('--verify', "check every line's proof against the chain and every frame's hash against the store")
    .option('--json', 'print JSON')
    .action(withErrors(invoice));
}

async function invoice(id: string, flags: InvoiceFlags): Promise<void> {
  const client = connect();
  const document = await client.invoice(id);
  const written: Record<string, string> = {};
  for (const format of ['pdf', 'csv'] as const) {
    const wish = flags[format];
    if (wish === undefined) continue;
    const path = resolve(typeof wish === 'string' ? wish : `${document.number}.${format}`);
    await writeFile(path, await client.invoiceDocument(id, format));
    written[format] = path;
  }
  const verification = flags.verify ? await client.verifyInvoice(id) : undefined;
  if (flags.json) printJson({ invoice: document, written, verification });
  else {
    process.stdout.write(`${invoiceText(document)}\n`);
    for (const path of Object.values(written)) process.stdout.write(`written: ${path}\n`);
    if (verification) process.stdout.write(`${verificationText(verification)}\n`);
  }
  if (verification && !verification.ok) {
    throw new FarmApiError({
      code: 'ChainMismatch',
      detail: `Invoice ${document.number} does not agree with the chain or the store.`,
      place: { invoice: document.number },
      remedy: 'Keep the output above and ask the operator of the farm.',
      status: 409,
    });
  }
}

/** The invoice for a terminal. */
export function invoiceText(invoice: InvoiceView): string {
  const { symbol, decimals, chainId } = invoice.token;
  const token = (amount: string): string => `${formatToken(amount, decimals)} ${symbol}`;
  const money = (cents: number): string => formatCents(cents, invoice.currency);
  return [
    `${pc.bold(`Invoice ${invoice.number}`)}  ${new Date(invoice.issuedAt).toLocaleDateString()}  ${invoice.status}`,
    `${invoice.jobName}  (job ${invoice.jobId})`,
    '',
    table(invoice.lines, [
      { title: '#', right: true, value: ({ line }) => String(line) },
      { title: 'node', value: ({ node }) => node },
      { title: 'chunk', right: true, value: ({ chunk }) => String(chunk) },
      { title: 'frames', value: ({ frames }) => frames },
      { title: 'units', right: true, value: ({ units }) => String(units.length) },
      { title: symbol, right: true, value: ({ amount }) => formatToken(amount, decimals) },
      { title: invoice.currency, right: true, value: ({ netCents }) => money(netCents).split(' ')[0]! },
    ]),
    '',
    ...(invoice.cached.count > 0
      ? [`cache    ${invoice.cached.count} frames from the cache, not billed (${invoice.cached.frames})`]
      : []),
    `net      ${money(invoice.netCents)}   ${token(invoice.total)}`,
    `tax      ${money(invoice.taxCents)}   (${(invoice.taxBasisPoints / 100).toFixed(2)} %)`,
    `${pc.bold(`gross    ${money(invoice.grossCents)}`)}`,
    `rate     1 ${symbol} = ${(invoice.centsPerTokenE6 / 1e8).toFixed(4)} ${invoice.currency} at ${invoice.rateAt}`,
    `escrow   ${token(invoice.deposited)} deposited, ${token(invoice.refunded)} refunded`,
    `chain    ${chainId}, settlement ${invoice.settlement}`,
    `root     ${invoice.root}`,
    `posted   ${invoice.transaction ?? pc.yellow('not yet')}`,
  ].join('\n');
}

function verificationText(verification: VerificationView): string {
  const mark = (ok: boolean): string => (ok ? pc.green('✓') : pc.red('✗'));
  return [
    '',
    ...verification.checks.map(({ name, ok, detail }) => `${mark(ok)} ${name}  ${pc.dim(detail)}`),
    ...verification.lines
      .filter(({ proof, frames }) => !(proof && frames))
      .map(({ line, detail }) => `${mark(false)} line ${line}: ${detail}`),
    verification.ok ? pc.green(pc.bold('verified')) : pc.red(pc.bold('NOT verified')),
  ].join('\n');
}
