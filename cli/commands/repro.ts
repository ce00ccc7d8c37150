/** `farm repro`: one pixel's paths again, bounce by bounce. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { LocalShot } from '../../renderer/local.ts';
import type { PathRecord, PathStep, Repro } from '../../renderer/repro.ts';
import { connect } from '../connection.ts';
import { refuse } from '../sdk/errors.ts';
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
    .requiredOption('--pixel <x,y>', 'from the top left of the picture')
    .option('--sample <n>', 'one sample, or a range such as 0-15 (default: the brightest)')
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
  const range = flags.sample === undefined ? null : rangeOf(flags.sample);
  const folder = await mkdtemp(join(tmpdir(), 'framewright-repro-'));
  try {
    const isScene = existsSync(subject) || /\.(glb|gltf)$/i.test(subject);
    const { shot, delivered } = isScene
      ? await localShot(subject, asked)
      : await deliveredShot(subject, frame, Object.keys(asked), folder);
    const { reproPixel } = await import('../../renderer/repro.ts');
    const samples = range ?? { first: 0, last: shot.settings.samples - 1 };
    const result = await reproPixel({ files: shot.files, settings: shot.settings, frame, x, y, samples, delivered });
    // Without a word about samples, the one that stands out is what a firefly hunter wants.
    const paths = range ? result.paths : [brightest(result.paths)];
    if (flags.json) printJson({ frame, x, y, settings: shot.settings, ...result, paths });
    else process.stdout.write(`${describe(result, paths, frame, shot.settings.samples)}\n`);
    if (result.isEqual === false) process.exitCode = 1;
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
  for await (const unit of client.frames(jobId)) {
    if (unit.frame === frame && unit.status === 'committed') unitId = unit.unitId;
  }
  const exr = unitId === undefined ? null : (await client.frameUrls(jobId, unitId)).exr;
  const delivered = exr ? Buffer.from(await (await fetch(exr.url)).arrayBuffer()) : undefined;
  return { shot: { files: { root: folder, main }, settings: job.settings }, delivered };
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

const luminance = ([r, g, b]: readonly number[]): number => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
const brightest = (paths: PathRecord[]): PathRecord =>
  paths.reduce((best, path) => (luminance(path.radiance) > luminance(best.radiance) ? path : best));

/** Enough digits to tell any two floats apart. */
const number = (value: number): string => (Object.is(value, -0) ? '-0' : String(Number(value.toPrecision(9))));
const triple = (values: readonly number[]): string => values.map(number).join(' ');
const isLit = (values: readonly number[]): boolean => values.some((value) => value !== 0);

function describe(result: Repro, paths: PathRecord[], frame: number, samples: number): string {
  const { isEqual, deliveredBuild, build } = result;
  const verdict =
    isEqual === null
      ? pc.dim('nothing delivered to compare with')
      : isEqual
        ? pc.green('✓ the delivered bits')
        : pc.red(`✗ not the delivered bits${deliveredBuild === build ? '' : ` (delivered by ${deliveredBuild})`}`);
  const head = `${pc.bold(`frame ${frame}, pixel ${paths[0]!.x},${paths[0]!.y}`)}  ${samples} samples  ${pc.dim(build)}`;
  const shown = result.pixel.filter(({ value, delivered }) => value !== 0 || (delivered !== null && delivered !== 0));
  const channels = shown.map(
    ({ name, value, delivered }) =>
      `  ${name.padEnd(24)} ${number(value)}${delivered === null || Object.is(value, delivered) ? '' : pc.red(`  delivered ${number(delivered)}`)}`,
  );
  const zeros = result.pixel.length - shown.length;
  if (zeros > 0) channels.push(pc.dim(`  and ${zeros} channels that are 0`));
  return [head, `  ${verdict}`, ...channels, ...paths.map((path) => describePath(path, result))].join('\n');
}

function describePath({ sample, radiance, steps }: PathRecord, result: Repro): string {
  return [
    `\n${pc.bold(`sample ${sample}`)}  adds ${triple(radiance)}`,
    ...steps.map((step) => describeStep(step, result)),
  ].join('\n');
}

function describeStep(step: PathStep, { objects, materials }: Repro): string {
  const { hit, next } = step;
  const lines = [
    hit
      ? `${objects[hit.instance]} / ${materials[hit.material]}, triangle ${hit.triangle}, ${number(hit.distance)} m`
      : 'nothing hit',
    `along       ${triple(step.direction)}`,
    hit && `at          ${triple(hit.position)}`,
    hit && `normal      ${triple(hit.normal)}`,
    isLit(step.foundLight) && `found       ${pc.yellow(triple(step.foundLight))}`,
    step.from && `from ${step.from.padEnd(11).slice(0, 11)} ${pc.yellow(triple(step.sampledLight))}`,
    `throughput  ${triple(step.throughput)}`,
    `so far      ${triple(step.radiance)}`,
    next &&
      `on          ${next.kind}${next.isDelta ? ', delta' : `, density ${number(next.density)}`}${next.isThrough ? ', through the surface' : ''}`,
    step.end && `end         ${step.end}`,
  ];
  const [first, ...rest] = lines.filter((line): line is string => typeof line === 'string');
  return [
    `  ${pc.cyan(String(step.bounce).padStart(2))}  ${first}`,
    ...rest.map((line) => `      ${pc.dim(line)}`),
  ].join('\n');
}
