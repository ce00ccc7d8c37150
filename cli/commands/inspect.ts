/** `farm inspect`: what the farm would see in a scene, without a farm. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { LocalInspection } from '../../renderer/local.ts';
import { bytes, duration } from '../output/duration.ts';
import { table } from '../output/table.ts';
import { printJson, withErrors } from './run.ts';

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .argument('<scene>', 'a .glb or .gltf file, or a folder that holds one')
    .description('Show what the farm would see in a scene')
    .option('--scene <name>', 'scene of the file, by name or number; default the file’s own')
    .option('--variant <name>', 'material variant')
    .option('--json', 'print JSON')
    .action(withErrors(inspect));
}

async function inspect(scene: string, flags: { scene?: string; variant?: string; json?: boolean }): Promise<void> {
  const { inspectLocally } = await import('../../renderer/local.ts');
  const seen = await inspectLocally(scene, availableParallelism(), { scene: flags.scene, variant: flags.variant });
  if (flags.json) {
    const { settings, frames } = seen.defaults;
    printJson({
      ...seen,
      defaults: { settings, frames: { first: frames[0], last: frames.at(-1), count: frames.length } },
    });
  } else process.stdout.write(`${describe(scene, seen)}\n`);
}

const count = (value: number): string => value.toLocaleString('en');
const of = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;
const list = (words: readonly string[], none: string): string => (words.length === 0 ? pc.dim(none) : words.join(', '));
const degrees = (radians: number): string => `${((radians * 180) / Math.PI).toFixed(1)}°`;

function describe(scene: string, { inspection: it, defaults, chosenScene, geometry }: LocalInspection): string {
  const { settings, frames } = defaults;
  const size = it.bounds.slice(3).map((high, axis) => (high - it.bounds[axis]!).toPrecision(3));
  const facts: [string, string][] = [
    ['written by', it.generator ?? pc.dim('not said')],
    ['frames', framesText(it, frames, settings.fps)],
    ['resolution', `${settings.width}×${settings.height}, ${settings.samples} samples (unless you say otherwise)`],
    [
      'scenes',
      list(
        it.scenes.map((name, index) => (index === chosenScene ? `${name} *` : name)),
        'none',
      ),
    ],
    ...camerasOfScenes(it),
    ['variants', list(it.variants, 'none')],
    ['clips', list(it.animations, it.sequence ? 'none: a file a frame' : 'none: a still')],
    [
      'light',
      [
        it.hasEnvironment && 'environment',
        it.lights > 0 && of(it.lights, 'lamp'),
        it.emissiveMeshes > 0 && of(it.emissiveMeshes, 'glowing mesh', 'glowing meshes'),
      ]
        .filter(Boolean)
        .join(', ') || pc.dim('none'),
    ],
    [
      'geometry',
      `${of(it.triangles, 'triangle')} in ${of(it.meshes, 'mesh', 'meshes')}, ${count(it.instancedTriangles)} with instances; ${of(it.materials, 'material')}, ${of(it.nodes, 'node')}, ${of(it.skins, 'skin')}`,
    ],
    ['size', `${size.join(' × ')} m`],
    ['memory', memoryText(it, geometry)],
    [
      'extensions',
      list(
        it.extensions.map(
          ({ name, required, supported }) =>
            `${supported ? name : pc.yellow(`${name} (ignored)`)}${required ? ' (required)' : ''}`,
        ),
        'none',
      ),
    ],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const blocks = [
    [pc.bold(scene), ...facts.map(([name, text]) => `  ${pc.dim(name.padEnd(width))}  ${text}`)].join('\n'),
    it.cameras.length === 0
      ? ''
      : table(it.cameras, [
          { title: '  camera', value: ({ name }) => `  ${name}` },
          { title: 'view', value: ({ yfov }) => (yfov === null ? 'orthographic' : `${degrees(yfov)} high`) },
          { title: 'aspect', right: true, value: ({ aspectRatio }) => aspectRatio?.toFixed(2) ?? '' },
          { title: 'moves', value: ({ animated }) => (animated ? 'yes' : '') },
        ]),
    it.textures.length === 0
      ? ''
      : table([...it.textures].sort((a, b) => b.width * b.height - a.width * a.height).slice(0, 20), [
          { title: '  texture', value: ({ name }) => `  ${name}` },
          { title: 'pixels', right: true, value: ({ width, height }) => `${width}×${height}` },
          { title: 'file', right: true, value: ({ sizeBytes }) => bytes(sizeBytes) },
          { title: 'in memory', right: true, value: ({ width, height }) => bytes(4 * width * height) },
          { title: 'type', value: ({ mimeType }) => mimeType },
        ]) + (it.textures.length > 20 ? `\n  ${pc.dim(`and ${it.textures.length - 20} smaller ones`)}` : ''),
    table(it.files.slice(0, 20), [
      { title: '  file', value: ({ path }) => `  ${path}` },
      { title: 'size', right: true, value: ({ sizeBytes }) => bytes(sizeBytes) },
    ]) + (it.files.length > 20 ? `\n  ${pc.dim(`and ${it.files.length - 20} more`)}` : ''),
    it.warnings.map(({ message }) => `  ${pc.yellow('!')} ${message}`).join('\n'),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

/** Of a file with several scenes: the table below has those of the chosen one. */
function camerasOfScenes({ scenes, sceneCameras }: LocalInspection['inspection']): [string, string][] {
  if (scenes.length < 2) return [];
  const text = sceneCameras.map((cameras, index) => `${scenes[index]}: ${list(cameras, 'none')}`).join('; ');
  return [['cameras', text]];
}

function framesText(
  { sequence, durationSeconds: seconds }: LocalInspection['inspection'],
  frames: readonly number[],
  fps: number,
): string {
  if (sequence) return `${sequence.frames} (${of(frames.length, 'file')}) at ${fps} fps`;
  if (frames.length === 1) return `${frames[0]}, a still`;
  return `${frames[0]}–${frames.at(-1)} (${count(frames.length)}) at ${fps} fps, ${duration(seconds)}`;
}

function memoryText(
  it: LocalInspection['inspection'],
  { bytes: geometry, triangles, buildSeconds }: LocalInspection['geometry'],
): string {
  const each =
    triangles === 0
      ? ''
      : ` (${(geometry / triangles).toFixed(0)} bytes a triangle, BVH built in ${duration(buildSeconds)})`;
  return `${bytes(geometry)} geometry${each}, ${bytes(it.textureBytes)} textures`;
}
