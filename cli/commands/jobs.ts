/** Commands that show jobs: `jobs`, `job`, `frames`, `logs`, `why`, `watch`, `nodes`. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { connect } from '../connection.ts';
import { bytes, duration } from '../output/duration.ts';
import { quoteText } from '../output/quote.ts';
import { exitCodeOf } from '../output/report.ts';
import { table } from '../output/table.ts';
import { watchJob } from '../output/watch.ts';
import { isFinalJob } from '../sdk/jobStatus.ts';
import { shortToken } from '../sdk/money.ts';
import type { FrameView, JobView } from '../sdk/types.ts';
import { printJson, withErrors } from './run.ts';

const STATUS_MARK: Record<JobView['status'], string> = {
  uploading: '…',
  preparing: '…',
  quoted: '?',
  active: pc.cyan('▸'),
  paused: pc.yellow('‖'),
  stopping: pc.yellow('■'),
  completed: pc.green('✓'),
  cancelled: pc.dim('■'),
  failed: pc.red('✗'),
  expired: pc.dim('∅'),
};

interface JsonFlag {
  json?: boolean;
}

export function addJobs(program: Command): void {
  program
    .command('jobs')
    .description('List jobs, newest first')
    .option('--status <status>', 'only jobs with this status')
    .option('--limit <n>', 'how many', '20')
    .option('--json', 'print JSON')
    .action(withErrors(listJobs));
  const one = (name: string, description: string): Command =>
    program.command(name).argument('<job>', 'id of the job').description(description).option('--json', 'print JSON');
  one('job', 'Show one job').action(withErrors(showJob));
  one('frames', 'List frames with who rendered them').action(withErrors(listFrames));
  one('why', 'Say why a job waits').action(withErrors(showWhy));
  one('logs', 'Print the log of a job').option('--follow', 'stay until the job has ended').action(withErrors(showLogs));
  one('watch', 'Follow a job until it has ended').action(withErrors(watch));
  program.command('nodes').description('List nodes').option('--json', 'print JSON').action(withErrors(listNodes));
}

async function listJobs(flags: { status?: string; limit: string } & JsonFlag): Promise<void> {
  const { items, nextCursor } = await connect().jobs({
    limit: Number(flags.limit) || 20,
    ...(flags.status ? { status: flags.status } : {}),
  });
  if (flags.json) return printJson({ items, nextCursor });
  const decimals = (job: JobView): number => job.quote?.token.decimals ?? 18;
  process.stdout.write(
    `${table(items, [
      { title: 'job', value: (job) => job.id },
      { title: 'shot', value: (job) => `${job.name} v${job.version ?? '–'}` },
      {
        title: 'status',
        value: (job) => `${STATUS_MARK[job.status]} ${job.status}${job.pauseReason ? ` (${job.pauseReason})` : ''}`,
      },
      { title: 'frames', right: true, value: (job) => `${job.frames.committed}/${job.frames.total}` },
      { title: 'spent', right: true, value: (job) => shortToken(job.spent, decimals(job)) },
      { title: 'cap', right: true, value: (job) => shortToken(job.cap, decimals(job)) },
      { title: 'created', value: (job) => new Date(job.createdAt).toLocaleString() },
    ])}\n`,
  );
}

async function showJob(id: string, flags: JsonFlag): Promise<void> {
  const job = await connect().job(id);
  if (flags.json) return printJson(job);
  const stages = job.stages.map(({ stage, state, seconds }) => {
    const time = seconds === null ? '' : ` ${duration(seconds)}`;
    return state === 'done'
      ? pc.green(`✓ ${stage}${time}`)
      : state === 'running'
        ? pc.cyan(`▸ ${stage}`)
        : pc.dim(stage);
  });
  process.stdout.write(
    `${STATUS_MARK[job.status]} ${pc.bold(job.status)}${job.pauseReason ? ` (${job.pauseReason})` : ''}  ${quoteText(job)}\n` +
      `  stages    ${stages.join('  ')}\n` +
      `  frames    ${job.frames.committed} of ${job.frames.total} committed, ${job.frames.rendering} rendering, ${job.frames.failed} failed\n` +
      deliveryText(job.delivery) +
      `  money     ${shortToken(job.spent, 18)} spent, ${shortToken(job.reserved, 18)} reserved, cap ${shortToken(job.cap, 18)}\n` +
      placementText(job.placement) +
      (job.problem?.detail
        ? `  ${pc.red(job.problem.code ?? '')} ${job.problem.detail}\n  → ${job.problem.remedy}\n`
        : ''),
  );
}

const DELIVERY_WORDS: Record<JobView['delivery']['status'], string> = {
  'on-demand': 'fetched when you like ("farm pull")',
  awaited: 'the job ends when all have arrived',
  overdue: 'the job did not wait longer; "farm pull" gets the others',
  delivered: 'all acknowledged',
};

/** How many frames the studio has; nothing where there are none to have. */
const deliveryText = ({ status, delivered, of }: JobView['delivery']): string =>
  of === 0 ? '' : `  delivered ${delivered} of ${of} frames, ${DELIVERY_WORDS[status]}\n`;

const PACE_WORDS = { 'link-up': 'its link away', 'link-down': 'its link towards it', render: 'its nodes' } as const;

/** What became of an expectation so far. */
function actualText(actual: JobView['placement']['actual'][number] | undefined): string {
  if (!actual) return pc.dim(', not begun');
  const { frames, beganSeconds, lastSeconds } = actual;
  const began = `, began after ${duration(beganSeconds)}`;
  return lastSeconds === null ? began : `${began}, ${frames} committed by ${duration(lastSeconds)}`;
}

/** Where the frames go and what that is expected to take. */
function placementText({ wish, why, shares, leftOut, actual }: JobView['placement']): string {
  const pins = [...(wish.sites ?? []), ...(wish.country ? [wish.country] : [])];
  const pinned = pins.length > 0 ? `  pinned    ${pins.join(', ')}\n` : '';
  // With one site there is no choice to tell of.
  if (shares.length + leftOut.length < 2) return pinned;
  const lines = shares.map(
    ({ siteId, name, frames, range, stageBytes, backBytes, finishSeconds, bottleneck }) =>
      `            ${name}: ${frames} frames (${range}), ${bytes(stageBytes)} to stage, ${bytes(backBytes)} back, ` +
      `paced by ${PACE_WORDS[bottleneck]}\n              ` +
      `expected end after ${duration(finishSeconds)}${actualText(actual.find((one) => one.siteId === siteId))}`,
  );
  const helpers = actual
    .filter(({ siteId }) => !shares.some((share) => share.siteId === siteId))
    .map((one) => `            ${one.name}: took over frames of others${actualText(one)}`);
  const others = leftOut.map(({ name, reason }) => pc.dim(`            not ${name}: ${reason}`));
  return `${pinned}  sites     ${why ?? ''}\n${[...lines, ...helpers, ...others].map((line) => `${line}\n`).join('')}`;
}

async function listFrames(id: string, flags: JsonFlag): Promise<void> {
  const frames: FrameView[] = [];
  for await (const frame of connect().frames(id)) frames.push(frame);
  if (flags.json) return printJson(frames);
  process.stdout.write(
    `${table(frames, [
      { title: 'frame', right: true, value: ({ frame }) => String(frame) },
      { title: 'status', value: ({ status }) => status },
      { title: 'node', value: ({ node }) => node ?? '' },
      { title: 'seconds', right: true, value: ({ renderSeconds }) => renderSeconds?.toFixed(2) ?? '' },
      { title: 'EXR', right: true, value: ({ exr }) => (exr ? bytes(exr.sizeBytes) : '') },
      { title: 'price', right: true, value: ({ price }) => shortToken(price, 18) },
      { title: 'file', value: ({ name }) => name },
      {
        title: 'notes',
        value: ({ warnings, refusals }) =>
          [...warnings, ...refusals].map(({ code, message }) => `${code}: ${message}`).join('; '),
      },
    ])}\n`,
  );
}

async function showWhy(id: string, flags: JsonFlag): Promise<void> {
  const { reasons } = await connect().why(id);
  if (flags.json) return printJson({ reasons });
  if (reasons.length === 0) process.stdout.write('Nothing holds it up.\n');
  for (const { code, message, remedy } of reasons) {
    process.stdout.write(`${pc.bold(code)}  ${message}\n  ${pc.cyan('→')} ${remedy}\n`);
  }
}

async function showLogs(id: string, flags: { follow?: boolean } & JsonFlag): Promise<void> {
  const client = connect();
  const job = await client.job(id);
  const stop = new AbortController();
  if (job.eventSeq === 0) return;
  for await (const event of client.events(id, { signal: stop.signal })) {
    if (flags.json) process.stdout.write(`${JSON.stringify(event)}\n`);
    else {
      const time = new Date(event.at).toISOString().slice(11, 23);
      const text =
        event.type === 'log'
          ? `${event.data.node ?? 'farm'}: ${event.data.line}`
          : `${event.type} ${JSON.stringify(event.data)}`;
      process.stdout.write(`${pc.dim(time)} ${text}\n`);
    }
    const ended = event.type === 'job.changed' && isFinalJob(event.data.status);
    if (ended || (event.seq >= job.eventSeq && !(flags.follow && !isFinalJob(job.status)))) stop.abort();
  }
}

/** What a job that did not complete counts as; a script that waits is told as by `submit --wait`. */
const CODES: Partial<Record<JobView['status'], string>> = { cancelled: 'Cancelled', expired: 'QuoteExpired' };

async function watch(id: string, flags: JsonFlag): Promise<void> {
  const job = await watchJob(connect(), id, { quiet: Boolean(flags.json) });
  if (flags.json) printJson(job);
  if (job.status !== 'completed') process.exitCode = exitCodeOf(CODES[job.status] ?? 'RenderFailed');
}

async function listNodes(flags: JsonFlag): Promise<void> {
  const nodes = await connect().nodes();
  if (flags.json) return printJson(nodes);
  process.stdout.write(
    `${table(nodes, [
      { title: 'node', value: ({ name }) => name },
      { title: 'status', value: ({ status, working }) => (working ? pc.cyan('▸ working') : status) },
      { title: 'site', value: ({ site }) => site },
      { title: 'tier', value: ({ tier }) => tier },
      { title: 'score', right: true, value: ({ score }) => score.toFixed(2) },
      { title: 'threads', right: true, value: ({ threads }) => String(threads) },
      { title: 'device', value: ({ device }) => device },
      { title: 'account', value: ({ account }) => account },
    ])}\n`,
  );
}
