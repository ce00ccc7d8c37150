/**
 * What `npm start` shows: the farm comes up, a demo shot goes through all six stages, one of the farm's own nodes is
 * killed on the way, and everything that came of it is named at the end.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { killProcess, startOneProcess } from '../../infra/stack/commands.ts';
import { connect, farmHome } from '../connection.ts';
import { duration } from '../output/duration.ts';
import { quoteText } from '../output/quote.ts';
import { watchJob } from '../output/watch.ts';
import type { FarmClient } from '../sdk/client.ts';
import { FarmApiError } from '../sdk/errors.ts';
import { formatCents, formatToken } from '../sdk/money.ts';
import { readProject } from '../sdk/project.ts';
import { type PullResult, pullJob } from '../sdk/pull.ts';
import { submitProject } from '../sdk/submit.ts';
import type { InvoiceView, JobEventView, JobView } from '../sdk/types.ts';
import { requestOf } from '../settings/flags.ts';
import { pageUrl, startFarm, stopFarm, untilInterrupted } from './farm.ts';
import { printJson, withErrors } from './run.ts';

const SHOT = { name: 'first-light', frames: '1-24', width: 480, height: 270, samples: 16, maxDepth: 6 } as const;

interface DemoFlags {
  exit?: boolean;
  /** `--json FILE` writes the result, `--json` alone prints it. */
  json?: string | boolean;
  kill: boolean;
  samples?: string;
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('Start the farm and take the demo shot through all six stages (what "npm start" does)')
    .option('--exit', 'stop the farm when the job is delivered and settled')
    .option('--json [file]', 'also write what happened as JSON')
    .option('--no-kill', 'do not kill a node halfway')
    .option('--samples <n>', `samples a pixel; fewer are noisier and sooner there (default ${SHOT.samples})`)
    .action(withErrors(demo));
}

async function demo(flags: DemoFlags): Promise<void> {
  // A wrong number is refused before a farm starts for it.
  const { samples = SHOT.samples } = requestOf({ samples: flags.samples });
  const setupSeconds = Number(process.env.FARM_SETUP_SECONDS ?? 0);
  const begun = Date.now();
  say(`${pc.bold('Framewright')}  starting the farm in ${farmHome()}`);
  const { started, status } = await startFarm({});
  say(
    started
      ? `The farm runs: ${pc.cyan(pageUrl(status.url))}`
      : `Found the running farm: ${pc.cyan(pageUrl(status.url))}`,
  );
  let interrupted = false;
  const interruption = untilInterrupted().then(() => {
    interrupted = true;
  });
  try {
    const shown = runShot(flags, samples, { setupSeconds, begun });
    shown.catch(() => undefined);
    const result = await Promise.race([shown, interruption]);
    if (interrupted || !result) process.exitCode = 130;
    else if (flags.json === true) printJson(result);
    else if (typeof flags.json === 'string')
      await writeFile(resolve(flags.json), `${JSON.stringify(result, null, 2)}\n`);
    if (!interrupted && started && !flags.exit) {
      say(pc.dim('The farm stays up. Ctrl-C stops it.'));
      await interruption;
    }
  } finally {
    if (started) await stopFarm();
  }
  // A farm that was found running goes on without us.
  process.exit(process.exitCode ?? 0);
}

/** Builds, submits, watches, pulls and checks the shot. Throws when anything is not as promised. */
async function runShot(
  flags: DemoFlags,
  samples: number,
  times: { setupSeconds: number; begun: number },
): Promise<DemoResult> {
  const client = connect();
  const scene = join(farmHome(), 'demo', `${SHOT.name}.glb`);
  await mkdir(join(farmHome(), 'demo'), { recursive: true });
  // Loaded where it is used: glTF and picture libraries, for which every other command would wait, too.
  const { buildDemoShot } = await import('../../renderer/demo/demoShot.ts');
  await buildDemoShot(scene);
  const { name, frames, width, height, maxDepth } = SHOT;
  // All six stages, also the second time.
  const options = { name, frames, width, height, samples, maxDepth, cache: false, awaitDelivery: true };
  const quoted = await submitProject(client, await readProject(scene), options);
  say(`\n${quoteText(quoted)}\n`);
  const job = await client.acceptJob(quoted.id);
  const folder = resolve('renders', `${SHOT.name}_v${job.version ?? 1}`);
  const pulling = pullJob(client, job.id, { folder, wait: true });
  const stop = new AbortController();
  pulling.catch(() => stop.abort());
  const drill = flags.kill ? nodeDrill(job.frames.total) : undefined;
  const ended = await watchJob(client, job.id, {
    signal: stop.signal,
    ...(drill ? { onEvent: drill.onEvent } : {}),
  });
  await drill?.finished();
  const pulled = await pulling;
  if (ended.status !== 'completed') {
    throw new FarmApiError({
      code: ended.problem?.code ?? 'RenderFailed',
      detail: ended.problem?.detail ?? `The demo job ended as ${ended.status}.`,
      place: { job: ended.id },
      remedy: ended.problem?.remedy ?? `Look at it with "farm job ${ended.id}".`,
      status: 500,
    });
  }
  const invoice = await checkInvoice(client, ended, quoted);
  for (const format of ['pdf', 'csv'] as const) {
    await writeFile(join(folder, `${invoice.number}.${format}`), await client.invoiceDocument(job.id, format));
  }
  const result = resultOf(ended, pulled, invoice, folder, {
    setup: times.setupSeconds,
    total: (Date.now() - times.begun) / 1000 + times.setupSeconds,
  });
  await showResult(client, result, ended, invoice, drill?.killed);
  return result;
}

/** Kills a working node with `kill -9` once half of the frames are committed, and starts it again. */
function nodeDrill(totalFrames: number) {
  let running: Promise<void> | undefined;
  const drill = {
    killed: undefined as string | undefined,
    onEvent(event: JobEventView): void {
      if (event.type !== 'unit.committed' || running || Number(event.data.committed) < totalFrames / 2) return;
      running = run(String(event.data.node));
      running.catch(() => undefined);
    },
    finished: (): Promise<void> => running ?? Promise.resolve(),
  };
  const run = async (node: string): Promise<void> => {
    const pid = await killProcess(node, { home: farmHome() });
    drill.killed = node;
    say(pc.yellow(`    kill -9 ${pid}  (${node}, in the middle of its work)`));
    await new Promise((done) => setTimeout(done, 1500));
    await startOneProcess(node, { home: farmHome() });
    say(pc.yellow(`    ${node} is back`));
  };
  return drill;
}

/** Every frame once, the bill as quoted, every proof right. */
async function checkInvoice(client: FarmClient, job: JobView, quoted: JobView): Promise<InvoiceView> {
  const wrong = (detail: string): FarmApiError =>
    new FarmApiError({
      code: 'ChainMismatch',
      detail,
      place: { job: job.id },
      remedy: 'This is a defect; keep the farm as it is and report it.',
      status: 500,
    });
  const invoice = await client.invoice(job.id);
  const billed = invoice.lines.flatMap(({ units }) => units.map(({ frame }) => frame));
  if (new Set(billed).size !== billed.length || billed.length !== job.frames.total) {
    throw wrong(`The invoice bills ${billed.length} frames, ${new Set(billed).size} of them different.`);
  }
  if (invoice.total !== quoted.quote?.total)
    throw wrong(`The invoice says ${invoice.total}, the quote ${quoted.quote?.total}.`);
  const verification = await client.verifyInvoice(job.id);
  const failed = verification.checks.find(({ ok }) => !ok);
  if (!verification.ok)
    throw wrong(`The invoice does not verify: ${failed ? `${failed.name}: ${failed.detail}` : 'a line'}.`);
  return invoice;
}

/** What `--json` writes. Paths in `outputs` are relative to its `folder`. */
interface DemoResult {
  job: string;
  frames: { total: number; committed: number; billed: number };
  seconds: Record<string, number>;
  outputs: { folder: string; exr: string[]; film: string | null; contactSheet: string | null; manifest: string | null };
  invoice: {
    number: string;
    total: string;
    token: string;
    /** ISO 4217. */
    currency: string;
    /** In the currency, tax included. */
    gross: string;
    lines: number;
    root: string;
    transaction: string | null;
  };
  page: string;
}

function resultOf(
  job: JobView,
  pulled: PullResult,
  invoice: InvoiceView,
  folder: string,
  times: { setup: number; total: number },
): DemoResult {
  const stages = Object.fromEntries(job.stages.map(({ stage, seconds }) => [stage, seconds ?? 0]));
  return {
    job: job.id,
    frames: { total: job.frames.total, committed: job.frames.committed, billed: job.frames.billed },
    seconds: { setup: times.setup, ...stages, total: times.total },
    outputs: {
      folder,
      exr: pulled.exr,
      film: pulled.film,
      contactSheet: pulled.contactSheet,
      manifest: pulled.manifest,
    },
    invoice: {
      number: invoice.number,
      total: invoice.total,
      token: invoice.token.symbol,
      currency: invoice.currency,
      gross: formatCents(invoice.grossCents, invoice.currency).split(' ')[0]!,
      lines: invoice.lines.length,
      root: invoice.root,
      transaction: invoice.transaction,
    },
    page: pageUrl(connect().url),
  };
}

async function showResult(
  client: FarmClient,
  result: DemoResult,
  job: JobView,
  invoice: InvoiceView,
  killed: string | undefined,
): Promise<void> {
  const byNode = new Map<string, number>();
  for await (const { node } of client.frames(job.id)) byNode.set(node ?? '?', (byNode.get(node ?? '?') ?? 0) + 1);
  const { folder, film, contactSheet, manifest } = result.outputs;
  const shares = [...byNode].map(([node, count]) => `${node} ${count}`).join(', ');
  const { symbol, decimals } = invoice.token;
  say('');
  say(`${pc.green('✓')} ${result.frames.committed} of ${result.frames.total} frames, each once (${shares})`);
  if (killed) say(`${pc.green('✓')} ${killed} was killed on the way; the bill is what was quoted`);
  say(
    `${pc.green('✓')} invoice ${invoice.number}: ${formatToken(invoice.total, decimals)} ${symbol} = ${formatCents(invoice.netCents, invoice.currency)} net (${formatCents(invoice.grossCents, invoice.currency)} with tax), every proof checked on chain`,
  );
  say(`${pc.green('✓')} refunded ${formatToken(invoice.refunded, decimals)} ${symbol} of unused escrow`);
  say('');
  say(`  pictures       ${folder}${result.outputs.exr[0] ? `/${result.outputs.exr[0]} …` : ''}`);
  if (film) say(`  film           ${join(folder, film)}`);
  if (contactSheet) say(`  contact sheet  ${join(folder, contactSheet)}`);
  if (manifest) say(`  manifest       ${join(folder, manifest)}`);
  say(`  invoice        ${join(folder, `${invoice.number}.pdf`)}`);
  say(`  page           ${pc.cyan(result.page)}`);
  say(
    `  time           ${duration(result.seconds.total ?? 0)} (${job.stages.map(({ stage, seconds }) => `${stage} ${seconds?.toFixed(1) ?? '–'}`).join(', ')})`,
  );
  say('');
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
