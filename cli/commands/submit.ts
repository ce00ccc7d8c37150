/** `farm submit`: from a scene on disk to a quote, and with consent to a running job. */
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { RequestedSettings } from '../../renderer/requests.ts';
import { connect } from '../connection.ts';
import { bytes } from '../output/duration.ts';
import { quoteText } from '../output/quote.ts';
import { uploadBar } from '../output/uploadBar.ts';
import { watchJob } from '../output/watch.ts';
import type { FarmClient } from '../sdk/client.ts';
import { requireWritable } from '../sdk/delivery/diskErrors.ts';
import { FarmApiError, refuse } from '../sdk/errors.ts';
import { parseToken } from '../sdk/money.ts';
import { readProject } from '../sdk/project.ts';
import { type PullTarget, pullJob } from '../sdk/pull.ts';
import { type SubmitOptions, submitProject } from '../sdk/submit.ts';
import type { JobView } from '../sdk/types.ts';
import { addSettingFlags, requestOf, type SettingFlags } from '../settings/flags.ts';
import { interruptible } from './interrupt.ts';
import { printJson, withErrors } from './run.ts';
import { bucketOf, folderOf, pullCommand, type TargetFlags, targetText } from './target.ts';

interface SubmitFlags extends SettingFlags, TargetFlags {
  out?: string;
  name?: string;
  cap?: string;
  yes?: boolean;
  wait?: boolean;
  priority?: string;
  site?: string[];
  country?: string;
  objective?: string;
  cache?: boolean;
  json?: boolean;
}

export function addSubmit(program: Command): void {
  const command = program
    .command('submit')
    .argument('<scene>', 'a .glb or .gltf file, or a folder that holds one')
    .description('Upload a scene, get a quote, render it');
  addSettingFlags(command)
    .option('--out <template>', 'file names, default {shot}_{layer}_v{version}.{frame:04}.{ext}')
    .option('--name <shot>', 'name of the shot (default: name of the file)')
    .option('--priority <1-5>', 'higher goes first (default 3)')
    .option('--no-cache', 'render every frame, also those that the frame cache holds')
    .option('--site <name>', 'only this site may take it (may be repeated)', (name: string, names: string[] = []) => [
      ...names,
      name,
    ])
    .option('--country <code>', 'it must not leave this country: DE, FR, …')
    .option('--objective <what>', 'finish (the earliest end, default) or cost (the lowest price)')
    .option('--cap <CMP>', 'spend at most this; takes the quote without asking when it fits')
    .option('--yes', 'take the quote as it is')
    .option('--wait', 'stay and pull frames as they are committed; the job ends when all have arrived')
    .option('--to <target>', 'with --wait: where the frames go, a folder or s3://bucket/prefix')
    .option(
      '--to-endpoint <url>',
      'with a bucket: where its S3 is (else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, Amazon)',
    )
    .option('--json', 'print JSON')
    .action(withErrors(submit));
}

async function submit(scene: string, flags: SubmitFlags): Promise<void> {
  const settings = requestOf(flags);
  // Before anything is sent: what cannot be delivered need not be rendered.
  const bucket = await bucketToWaitFor(flags);
  const client = connect();
  const decimals = (await client.farm()).token.decimals;
  const options = submitOptions(flags, decimals, settings);
  const project = await readProject(scene);
  const display = flags.json || !process.stderr.isTTY ? undefined : uploadBar();
  let job: JobView;
  try {
    job = await submitProject(client, project, options, display?.progress);
  } finally {
    display?.stop();
  }
  if (!flags.json) process.stderr.write(`${quoteText(job)}\n`);
  if (!(await consents(flags, job))) {
    if (flags.json || !process.stdin.isTTY) {
      // A script that gave no consent gets the quote and can accept it by id.
      if (flags.json) printJson(job);
      else process.stderr.write(`Take it with: farm accept ${job.id}\n`);
      return;
    }
    await client.declineJob(job.id);
    process.stderr.write('Declined; nothing is charged.\n');
    return;
  }
  job = await client.acceptJob(job.id, options.cap);
  if (!flags.wait) {
    if (flags.json) printJson(job);
    else process.stdout.write(`${job.id}\n`);
    return;
  }
  await waitAndPull(client, job, flags, bucket ?? folderOf(flags, job));
}

/**
 * The bucket of `--wait --to s3://…`, reached; null for a folder, that may be written to.
 * @throws FarmApiError of `bucketOf`; `NotWritable`, `DiskFull`; `SettingInvalid` for a target that nobody would fill
 */
async function bucketToWaitFor(flags: SubmitFlags): Promise<PullTarget | null> {
  if (flags.wait) {
    const bucket = await bucketOf(flags);
    // A folder that is named after the shot will be in the current one.
    if (!bucket) await requireWritable(resolve(flags.to ?? '.'));
    return bucket;
  }
  const flag = flags.to !== undefined ? 'to' : flags.toEndpoint !== undefined ? 'to-endpoint' : null;
  if (flag === null) return null;
  const remedy = 'Add --wait to stay and take the frames, or leave it out and fetch them with "farm pull JOB --to …".';
  throw refuse('SettingInvalid', `--${flag} says where frames go, but without --wait none are taken.`, remedy, {
    setting: flag,
  });
}

async function waitAndPull(client: FarmClient, job: JobView, flags: SubmitFlags, target: PullTarget): Promise<void> {
  const to = targetText(target);
  const left = {
    stopped: `Stopped; the job goes on, and what arrived whole is in ${to}.`,
    remedy: `Take the rest with: ${pullCommand(job.id, target, flags)}`,
  };
  const { ended, pulled } = await interruptible(left, async (signal) => {
    const pulling = pullJob(client, job.id, { ...target, wait: true, transit: 'auto', signal });
    // A pull that cannot deliver would otherwise be waited for as long as the job waits for it.
    const stop = new AbortController();
    pulling.catch(() => stop.abort());
    const ended = await watchJob(client, job.id, { quiet: Boolean(flags.json), signal: stop.signal });
    return { ended, pulled: await pulling };
  });
  if (flags.json) printJson({ job: ended, [target.bucket ? 'bucket' : 'folder']: to, pulled });
  else process.stdout.write(`${pulled.frames} frames (${bytes(pulled.bytes)} pulled) in ${to}\n`);
  if (ended.status !== 'completed') {
    const problem = ended.problem;
    throw new FarmApiError({
      code: ended.status === 'cancelled' ? 'Cancelled' : (problem?.code ?? 'RenderFailed'),
      detail: problem?.detail ?? `The job ended as ${ended.status}.`,
      place: { job: job.id },
      remedy: problem?.remedy ?? 'Look at "farm logs" and "farm why".',
      status: 409,
    });
  }
}

/** Flags as the API wants them. Throws before anything is read or sent. */
function submitOptions(flags: SubmitFlags, decimals: number, settings: RequestedSettings): SubmitOptions {
  const cap = flags.cap === undefined ? undefined : parseToken(flags.cap, decimals);
  if (flags.cap !== undefined && cap === undefined) {
    throw refuse('SettingInvalid', `--cap is "${flags.cap}", which is not an amount.`, 'Write it as 25 or 0.5.', {
      setting: 'cap',
    });
  }
  const priority = flags.priority === undefined ? undefined : Number(flags.priority);
  if (Number.isNaN(priority)) {
    throw refuse('SettingInvalid', `--priority is "${flags.priority}", which is not a number.`, 'Give 1 to 5.', {
      setting: 'priority',
    });
  }
  return {
    ...settings,
    name: flags.name,
    template: flags.out,
    priority,
    cap,
    ...placementOf(flags),
    // The job then ends when everything has arrived.
    ...(flags.wait ? { awaitDelivery: true } : {}),
    ...(flags.cache === false ? { cache: false } : {}),
  };
}

/** Which sites may take the job; nothing where the flags say nothing. */
function placementOf({ site, country, objective = 'finish' }: SubmitFlags): Pick<SubmitOptions, 'placement'> {
  if (objective !== 'finish' && objective !== 'cost') {
    throw refuse('SettingInvalid', `--objective is "${objective}".`, 'Give finish or cost.', { setting: 'objective' });
  }
  if (!site && country === undefined && objective === 'finish') return {};
  const pins = {
    ...(site ? { sites: site } : {}),
    ...(country === undefined ? {} : { country: country.toUpperCase() }),
  };
  return { placement: { objective, ...pins } };
}

/** With `--yes` or `--cap` the quote is taken (the cap binds either way); else the person is asked, if there is one. */
async function consents(flags: SubmitFlags, job: JobView): Promise<boolean> {
  if (flags.yes || flags.cap !== undefined) return true;
  if (!process.stdin.isTTY || flags.json) return false;
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question(`Take the quote for ${pc.bold(job.name)}? [y/N] `);
  ask.close();
  return /^y(es)?$/i.test(answer.trim());
}
