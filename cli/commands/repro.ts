/** `farm repro`: one pixel's paths again, bounce by bounce. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { LocalShot } from '../../renderer/local.ts';
import { connect } from '../connection.ts';
import { describeRepro } from '../output/repro.ts';
import { type FarmApiError, refuse } from '../sdk/errors.ts';
import { fetchProject } from '../sdk/fetchProject.ts';
import { addSettingFlags, requestOf, type SettingFlags } from '../settings/flags.ts';
import { printJson, withErrors } from './run.ts';

interface ReproFlags extends SettingFlags {
  pixel: string;
  sample?: string;
  json?: boolean;
}

export function addRepro(program: Command): void {
  const command = program
    .command('repro')
    .argument('<job>', 'id of a job, or a scene on this disk (then the flags say how it is rendered)')
    .argument('<frame>', 'frame number')
    .description("Replay one pixel's paths bit for bit and print every bounce")
    .requiredOption('--pixel <x,y>', 'column and row from the top left of the whole picture, both from 0')
    .option(
      '--sample <n>',
      'samples to print: one, or a range such as 0-15 (default: the brightest, where a firefly comes from)',
    )
    .option('--json', 'print JSON');
  addSettingFlags(command).action(withErrors(repro));
}

/** A frame to look into, and what was delivered of it. */
interface Subject {
  shot: Pick<LocalShot, 'files' | 'settings'>;
  delivered?: Buffer | undefined;
}

async function repro(subject: string, frameText: string, flags: ReproFlags): Promise<void> {
  const asked = requestOf(flags);
  const frame = wholeNumber('frame', frameText);
  const [x, y] = pixelOf(flags.pixel);
  const range = flags.sample === undefined ? undefined : rangeOf(flags.sample);
  const folder = await mkdtemp(join(tmpdir(), 'framewright-repro-'));
  try {
    const isScene = existsSync(subject) || /\.(glb|gltf)$/i.test(subject);
    const { shot, delivered } = isScene
      ? await localShot(subject, asked)
      : await deliveredShot(subject, frame, Object.keys(asked), folder);
    const { reproPixel } = await import('../../renderer/repro.ts');
    if (shot.settings.technique !== 'pathtrace') throw withoutPaths(shot.settings.technique, isScene);
    const result = await reproPixel({
      ...{ files: shot.files, settings: shot.settings, frame, x, y, samples: range, delivered },
    });
    if (flags.json) printJson({ frame, x, y, settings: shot.settings, ...result });
    else process.stdout.write(`${describeRepro(result, frame, shot.settings)}\n`);
    if (result.isEqual === false || !result.addsUp) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function localShot(scene: string, asked: ReturnType<typeof requestOf>): Promise<Subject> {
  const { openEngine, openShot } = await import('../../renderer/local.ts');
  const engine = openEngine();
  try {
    return { shot: await openShot(engine, scene, asked) };
  } finally {
    await engine.close();
  }
}

async function deliveredShot(jobId: string, frame: number, asked: string[], folder: string): Promise<Subject> {
  if (asked.length > 0) {
    throw refuse(
      'SettingInvalid',
      `A job says itself how it is rendered; ${asked[0]} cannot be changed.`,
      'Leave it out.',
      {
        setting: asked[0],
      },
    );
  }
  const client = connect();
  const job = await client.job(jobId);
  const main = await fetchProject(client, jobId, folder);
  let unitId: string | undefined;
  let isOfJob = false;
  for await (const unit of client.frames(jobId)) {
    if (unit.frame !== frame) continue;
    isOfJob = true;
    // The newest take comes last.
    if (unit.status === 'committed') unitId = unit.unitId;
  }
  if (!isOfJob) {
    const place = { job: jobId, frame };
    throw refuse('NotFound', `The job has no frame ${frame}.`, `List its frames with "farm frames ${jobId}".`, place);
  }
  const exr = unitId === undefined ? null : (await client.frameUrls(jobId, unitId)).exr;
  const delivered = exr ? Buffer.from(await (await fetch(exr.url)).arrayBuffer()) : undefined;
  return { shot: { files: { root: folder, main }, settings: job.settings }, delivered };
}

function withoutPaths(technique: string, isScene: boolean): FarmApiError {
  const remedy = isScene
    ? 'Leave --technique out.'
    : 'Look into the frame as the path tracer makes it: give the scene file instead of the job.';
  const place = { setting: 'technique', value: technique };
  return refuse('SettingInvalid', `The frame was made with ${technique}, which follows no paths.`, remedy, place);
}

function wholeNumber(name: string, text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw refuse('SettingInvalid', `${name} is "${text}".`, 'Give a whole number.', { setting: name, value: text });
}

function pixelOf(text: string): [number, number] {
  const match = /^(\d{1,6})[,x](\d{1,6})$/.exec(text.trim());
  if (match) return [Number(match[1]), Number(match[2])];
  throw refuse('SettingInvalid', `--pixel is "${text}".`, 'Write it as x,y, from the top left.', { setting: 'pixel' });
}

function rangeOf(text: string): { first: number; last: number } {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text.trim());
  if (match) return { first: Number(match[1]), last: Number(match[2] ?? match[1]) };
  throw refuse('SettingInvalid', `--sample is "${text}".`, 'Write it as 7 or 0-15.', { setting: 'samples' });
}
