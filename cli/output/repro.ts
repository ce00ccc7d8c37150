/** What `farm repro` prints: the pixel layer by layer, then every path bounce by bounce. */
import pc from 'picocolors';
import type { PathRecord, PathStep, Repro, ReproChannel } from '../../renderer/repro.ts';
import type { RenderSettings } from '../../renderer/requests.ts';

/** Enough digits to tell any two floats apart. */
const number = (value: number): string => (Object.is(value, -0) ? '-0' : String(Number(value.toPrecision(9))));
const triple = (values: readonly number[]): string => values.map(number).join(' ');
const isLit = (values: readonly number[]): boolean => values.some((value) => value !== 0);

/** The text for people. */
export function describeRepro(result: Repro, frame: number, { samples, adaptive }: RenderSettings): string {
  const { isEqual, addsUp, sum, sampleCount, deliveredBuild, build, paths, pixel } = result;
  const { x, y } = paths[0]!;
  const count = adaptive ? `${sampleCount} of at most ${samples} samples` : `${sampleCount} samples`;
  const head = `${pc.bold(`frame ${frame}, pixel ${x},${y}`)}  ${count}  ${pc.dim(build)}`;
  const verdict =
    isEqual === null
      ? pc.dim('no delivered frame to compare with')
      : isEqual
        ? pc.green('✓ the delivered bits')
        : pc.red(`✗ not the delivered bits${deliveredBuild === build ? '' : ` (delivered by ${deliveredBuild})`}`);
  const added = addsUp
    ? pc.green('✓ the samples add up to the picture’s R G B, bit for bit')
    : pc.red(`✗ the samples add up to ${triple(sum)}`);
  const shown = layersOf(pixel);
  const zeros = shown.filter(({ channels }) => channels.every(isZero)).map(({ layer }) => layer);
  const lines = shown.filter(({ layer }) => !zeros.includes(layer)).flatMap(describeLayer);
  if (zeros.length > 0) lines.push(pc.dim(`  all zero: ${zeros.join(', ')}`));
  const told =
    paths.length < sampleCount && paths.length === 1
      ? [pc.dim(`  below: sample ${paths[0]!.sample}; --sample 0-${sampleCount - 1} prints all`)]
      : [];
  return [
    head,
    `  ${verdict}`,
    `  ${added}`,
    ...lines,
    ...told,
    ...paths.map((path) => describePath(path, result)),
  ].join('\n');
}

const isZero = ({ value, delivered }: ReproChannel): boolean => value === 0 && (delivered === null || delivered === 0);

interface PixelLayer {
  layer: string;
  channels: ReproChannel[];
}

/** In the order in which people name them; files sort channels by name. */
const SUFFIXES = 'RGBAXYZUVN';

function layersOf(pixel: readonly ReproChannel[]): PixelLayer[] {
  const layers = new Map<string, ReproChannel[]>();
  for (const channel of pixel) {
    const layer = channel.name.includes('.') ? channel.name.slice(0, channel.name.lastIndexOf('.')) : 'beauty';
    layers.set(layer, [...(layers.get(layer) ?? []), channel]);
  }
  const place = ({ name }: ReproChannel): number => SUFFIXES.indexOf(name.at(-1)!);
  const all = [...layers].map(([layer, channels]) => ({
    layer,
    channels: channels.sort((a, b) => place(a) - place(b)),
  }));
  return [...all.filter(({ layer }) => layer === 'beauty'), ...all.filter(({ layer }) => layer !== 'beauty')];
}

function describeLayer({ layer, channels }: PixelLayer): string[] {
  const suffixes = channels.map(({ name }) => name.at(-1)).join('');
  const line = (values: readonly string[]): string => values.join(' ');
  const own = channels.map(({ value, shows }) => (shows === null ? number(value) : `“${shows}”`));
  const theirs = channels.map(({ delivered }) => (delivered === null ? '-' : number(delivered)));
  const differs = channels.some(({ value, delivered }) => delivered !== null && !Object.is(value, delivered));
  const text = `  ${layer.padEnd(18)} ${pc.dim(suffixes.padEnd(4))} ${line(own)}`;
  return differs ? [text, pc.red(`  ${'delivered'.padEnd(18)} ${suffixes.padEnd(4)} ${line(theirs)}`)] : [text];
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
