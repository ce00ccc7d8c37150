/**
 * Measures what the denoiser gains: small scenes at few samples against a converged picture, by relMSE and FLIP:
 * `npm run bench:denoise [-- --help]`.
 *
 * Compared are the noisy picture, the one denoised with the noise estimated from the picture, and the one denoised with the
 * variance that the tracer measured; with --layers also the light layers. The reference has another seed (1001). Prints a Markdown
 * table: means over the seeds, and FLIP of the worst seed over that of the noisy picture.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { type LayerName, SAMPLED_LIGHT, varianceLayerOf } from '../../../domain/layers.ts';
import { DEFAULT_RENDER_SETTINGS } from '../../../domain/scene.ts';
import { comparePictures } from '../../../renderer/image/compare.ts';
import { denoise } from '../../../renderer/image/denoise.ts';
import { ImageProcessor } from '../../../renderer/image/imageProcessor.ts';
import { asRgba, hasAlbedo } from '../../../renderer/pathtracer/denoiseLayers.ts';
import { type TracedPixels, type Tracer, traceOptionsOf } from '../../../renderer/pathtracer/tracer.ts';
import { createCpuTracer } from '../../../renderer/pathtracer/wasm/tracer.ts';
import { pictureSize, readCommandLine, someOf, wholeNumber } from '../commandLine.ts';
import { DENOISE_SCENES } from './scenes.ts';

const REFERENCE_SEED = 1001;
const KINDS = ['noisy', 'estimated', 'measured'] as const;

interface Row {
  scene: string;
  layer: LayerName;
  seed: number;
  samples: number;
  picture: (typeof KINDS)[number];
  relMse: number;
  flip: number;
}

const SCENES = Object.keys(DENOISE_SCENES);
const USAGE = `npm run bench:denoise [-- --seeds 1,2,3] [--size 192x108] [--reference 1024] [--only SCENE,SCENE] [--samples 4,16,64,256] [--layers] [--threads 2] [--json FILE]

Scenes: ${SCENES.join(', ')}. --reference is the samples a pixel of the converged picture.`;
const { width, height, seeds, referenceSamples, only, sampleCounts, layers, threads, json } = readCommandLine(
  USAGE,
  {
    seeds: { type: 'string', default: '1,2,3' },
    size: { type: 'string', default: '192x108' },
    reference: { type: 'string', default: '1024' },
    only: { type: 'string', default: SCENES.join(',') },
    samples: { type: 'string', default: '4,16,64,256' },
    layers: { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
  (values) => ({
    ...pictureSize('size', values.size),
    seeds: values.seeds.split(',').map((seed) => wholeNumber('seeds', seed, 0)),
    referenceSamples: wholeNumber('reference', values.reference, 1),
    only: someOf('only', values.only, SCENES),
    sampleCounts: values.samples.split(',').map((samples) => wholeNumber('samples', samples, 1)),
    layers: ['beauty', ...(values.layers ? SAMPLED_LIGHT : [])] as LayerName[],
    threads: wholeNumber('threads', values.threads, 1),
    json: values.json,
  }),
);

/** The current scene with all that the denoiser takes. */
function trace(tracer: Tracer, samples: number, ofSeed: number): Promise<TracedPixels> {
  return tracer.trace({
    ...{ width, height, frame: 1, seed: ofSeed, sampleStart: 0, sampleCount: samples },
    rect: { x0: 0, y0: 0, x1: width, y1: height },
    options: {
      ...traceOptionsOf(DEFAULT_RENDER_SETTINGS),
      layers: layers.flatMap((layer) => [layer, varianceLayerOf(layer)!]),
    },
  });
}

/** RGBA of a layer, whose alpha is the beauty's: comparing pictures takes four channels. */
const pictureOf = (pixels: TracedPixels, layer: LayerName): Float32Array =>
  layer === 'beauty' ? pixels.beauty : asRgba(pixels.layers[layer]!, width * height);

async function cleaned(
  pixels: TracedPixels,
  layer: LayerName,
  isMeasured: boolean,
  processor: ImageProcessor,
): Promise<Float32Array> {
  const { albedo, normal, depth } = pixels;
  const variance = isMeasured ? pixels.layers[varianceLayerOf(layer)!] : undefined;
  const beauty = pictureOf(pixels, layer);
  const kind = { hasAlbedo: hasAlbedo(layer), isLayer: layer !== 'beauty' };
  return denoise({ width, height, beauty, albedo, normal, depth, variance, ...kind }, processor);
}

const rows: Row[] = [];
const tracer = await createCpuTracer({ threads });
const processor = new ImageProcessor();
const folder = await mkdtemp(join(os.tmpdir(), 'framewright-denoise-'));
try {
  for (const [scene, build] of Object.entries(DENOISE_SCENES)) {
    if (!only.includes(scene)) continue;
    process.stderr.write(`${scene}: the reference of ${referenceSamples} samples a pixel\n`);
    const description = await build(folder, width / height);
    if (!description) {
      process.stderr.write(`${scene}: left out, its file is not at hand (FRAMEWRIGHT_SCENES)\n`);
      continue;
    }
    await tracer.setScene(description);
    const reference = await trace(tracer, referenceSamples, REFERENCE_SEED);
    for (const samples of sampleCounts) {
      for (const seed of seeds) {
        const pixels = await trace(tracer, samples, seed);
        for (const layer of layers) {
          const pictures: Record<Row['picture'], Float32Array> = {
            noisy: pictureOf(pixels, layer),
            estimated: await cleaned(pixels, layer, false, processor),
            measured: await cleaned(pixels, layer, true, processor),
          };
          for (const picture of KINDS) {
            const { relMse, flip } = comparePictures(pictures[picture], pictureOf(reference, layer), { width, height });
            rows.push({ scene, layer, seed, samples, picture, relMse, flip });
          }
        }
      }
    }
  }
} finally {
  await tracer.close();
  await processor.close();
  await rm(folder, { recursive: true, force: true });
}
const mean = (numbers: number[]): number => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
process.stdout.write('| scene | layer | samples | picture | relMSE | FLIP | of noisy, worst seed |\n');
process.stdout.write('| --- | --- | ---: | --- | ---: | ---: | ---: |\n');
for (const scene of new Set(rows.map((row) => row.scene))) {
  for (const layer of layers) for (const samples of sampleCounts) printRows(scene, layer, samples);
}

function printRows(scene: string, layer: LayerName, samples: number): void {
  const all = rows.filter((row) => row.scene === scene && row.layer === layer && row.samples === samples);
  const of = (picture: Row['picture']): Row[] => all.filter((row) => row.picture === picture);
  for (const picture of KINDS) {
    const relMse = mean(of(picture).map((row) => row.relMse)).toFixed(5);
    const flip = mean(of(picture).map((row) => row.flip)).toFixed(4);
    const worst = Math.max(...of(picture).map((row, index) => row.flip / of('noisy')[index]!.flip)).toFixed(3);
    process.stdout.write(`| ${scene} | ${layer} | ${samples} | ${picture} | ${relMse} | ${flip} | ${worst} |\n`);
  }
}

if (json !== undefined) {
  const machine = {
    processor: os.cpus()[0]?.model.trim() ?? os.arch(),
    cores: os.cpus().length,
    node: process.version,
  };
  const outcome = {
    machine,
    seeds,
    referenceSeed: REFERENCE_SEED,
    width,
    height,
    reference: referenceSamples,
    rows,
  };
  await writeFile(json, `${JSON.stringify(outcome, null, 2)}\n`);
}
