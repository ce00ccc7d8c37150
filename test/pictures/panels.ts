/** From a scene to the panels of a picture: renders through the engine, shows layers in colours, puts panels side by side. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { RequestedSettings } from '../../domain/settings.ts';
import { decodeExr, type ExrPicture } from '../../renderer/image/exr/read.ts';
import { PictureBuilder } from '../../renderer/image/picture.ts';
import type { openEngine } from '../../renderer/local.ts';
import { openShot } from '../../renderer/local.ts';

type Engine = ReturnType<typeof openEngine>;

/** What the engine made of one frame. */
export interface Rendered {
  /** The picture as pages show it, PNG. */
  preview: Buffer;
  exr: ExrPicture;
}

/** Renders one frame of a scene below `folder`. @throws FarmError as the engine does */
export async function renderFrame(
  engine: Engine,
  folder: string,
  scene: string,
  frame: number,
  asked: RequestedSettings,
  threads: number,
): Promise<Rendered> {
  const { files, settings } = await openShot(engine, join(folder, scene), { ...asked, frames: String(frame) });
  const outputFolder = await mkdtemp(join(folder, 'out-'));
  try {
    let rendered: Rendered | undefined;
    const sink = {
      async unit({ previewPath, exrPath }: { previewPath: string; exrPath: string }) {
        rendered = { preview: await readFile(previewPath), exr: await decodeExr(await readFile(exrPath)) };
      },
      progress: () => undefined,
      log: (line: string) => void process.stderr.write(`  ${line}\n`),
    };
    const units = [{ frame, tile: 0 }];
    await engine.render({ files, settings, units, outputFolder, threads }, sink, new AbortController().signal);
    return rendered!;
  } finally {
    await rm(outputFolder, { recursive: true, force: true });
  }
}

type Colors = (pixel: number, out: Float32Array) => void;

function plane(exr: ExrPicture, channel: string): Float32Array {
  const found = exr.planes.get(channel);
  if (!found) throw new Error(`The frame has no channel ${channel}.`);
  return found;
}

/** Colours of every pixel; `isLight`: linear light that goes through the view transform, otherwise screen values. */
function show({ width, height }: ExrPicture, colors: Colors, isLight: boolean): Promise<Buffer> {
  const pixels = new Float32Array(width * height * 4);
  const color = new Float32Array(3);
  for (let i = 0; i < width * height; i++) {
    colors(i, color.fill(0));
    pixels.set(color, i * 4);
    pixels[i * 4 + 3] = 1;
  }
  if (isLight) {
    const picture = new PictureBuilder(width, height, 'png', { view: 'neutral', exposure: 0 });
    picture.add(pixels);
    return picture.encode();
  }
  const bytes = Uint8Array.from(pixels, (value) => Math.round(255 * Math.min(Math.max(value, 0), 1)));
  return sharp(bytes, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

/** The sum of layers that hold light or colour, through the view transform. */
export function showLight(exr: ExrPicture, layers: readonly string[]): Promise<Buffer> {
  const planes = layers.map((layer) => ['R', 'G', 'B'].map((channel) => plane(exr, `${layer}.${channel}`)));
  return show(
    exr,
    (pixel, out) => {
      for (const layer of planes) for (const [k, values] of layer.entries()) out[k]! += values[pixel]!;
    },
    true,
  );
}

/** Normals, -1 to 1 as 0 to 1. */
export function showNormal(exr: ExrPicture): Promise<Buffer> {
  const axes = ['X', 'Y', 'Z'].map((axis) => plane(exr, `normal.${axis}`));
  return show(
    exr,
    (pixel, out) => {
      for (const [k, values] of axes.entries()) out[k] = 0.5 + 0.5 * values[pixel]!;
    },
    false,
  );
}

/** Nearest white, farthest nearly black, nothing black. */
export function showDepth(exr: ExrPicture): Promise<Buffer> {
  const depth = plane(exr, 'depth.Z');
  const hits = depth.filter((z) => z < 1e9).sort();
  const [near, far] = [hits[0]!, hits.at(-1)!];
  return show(
    exr,
    (pixel, out) => {
      const z = depth[pixel]!;
      if (z < 1e9) out.fill(1 - 0.9 * ((z - near) / (far - near)));
    },
    false,
  );
}

/** Every id in a colour of its own, as much of it as it covers. `type` is `CryptoObject` or `CryptoMaterial`. */
export function showCryptomatte(exr: ExrPicture, type: string): Promise<Buffer> {
  const ranks = [0, 1, 2].flatMap((number) =>
    ['RG', 'BA'].map(([id, coverage]) => ({
      ids: plane(exr, `${type}0${number}.${id}`),
      coverage: plane(exr, `${type}0${number}.${coverage}`),
    })),
  );
  const bits = ranks.map(({ ids }) => new Uint32Array(ids.buffer, ids.byteOffset, ids.length));
  const present = [...new Set(bits.flatMap((ids) => [...new Set(ids)]))].filter((id) => id !== 0).sort((a, b) => a - b);
  // Hues by the golden ratio lie apart however many there are.
  const palette = new Map(present.map((id, i) => [id, hueColor((i * 0.618_033_988_75) % 1, i % 2 === 0 ? 0.95 : 0.6)]));
  return show(
    exr,
    (pixel, out) => {
      for (const [rank, { coverage }] of ranks.entries()) {
        const color = palette.get(bits[rank]![pixel]!);
        if (color) for (let k = 0; k < 3; k++) out[k]! += coverage[pixel]! * color[k]!;
      }
    },
    false,
  );
}

/** A colour of the wheel, not quite saturated. */
const hueColor = (hue: number, value: number): number[] =>
  [0, 1, 2].map((k) => {
    const wave = Math.abs(((hue + k / 3) % 1) * 6 - 3) - 1;
    return value * (0.25 + 0.75 * Math.min(Math.max(wave, 0), 1));
  });

const GAP = 4;

/** Pages load all pictures at once, so none may be larger. */
const MAX_BYTES = 120_000;
const QUALITIES = [92, 88, 84, 78, 70];

/** Puts panels of one size in rows of `columns`, as a JPEG of at most 120 kB. Throws `RangeError` where no quality is low enough. */
export async function arrange(panels: readonly Buffer[], columns: number): Promise<Buffer> {
  const { width = 0, height = 0 } = await sharp(panels[0]).metadata();
  const rows = Math.ceil(panels.length / columns);
  const size = { width: columns * (width + GAP) - GAP, height: rows * (height + GAP) - GAP };
  const opaque = await Promise.all(panels.map((panel) => sharp(panel).flatten({ background: '#000' }).toBuffer()));
  const sheet = await sharp({ create: { ...size, channels: 3, background: '#fff' } })
    .composite(
      opaque.map((input, i) => ({
        input,
        left: (i % columns) * (width + GAP),
        top: Math.floor(i / columns) * (height + GAP),
      })),
    )
    .png()
    .toBuffer();
  for (const quality of QUALITIES) {
    const bytes = await sharp(sheet).jpeg({ quality, chromaSubsampling: '4:4:4', mozjpeg: true }).toBuffer();
    if (bytes.length <= MAX_BYTES) return bytes;
  }
  throw new RangeError(`The picture takes over ${MAX_BYTES} bytes at the lowest quality: make it smaller.`);
}
