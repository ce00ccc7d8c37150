/**
 * The GPU benchmark as one file that needs nothing installed: Node, a `dawn.node` (FRAMEWRIGHT_DAWN), and the files beside it.
 *
 *     node bench.mjs OUT [--quick] [--software] [--threads N]
 *
 * Prints JSON on standard output and writes pictures to OUT as PPM, tone mapped by a plain gamma.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { SurfaceMaterial } from '../../../renderer/pathtracer/scene/description.ts';
import {
  camera,
  constantEnvironment,
  material,
  place,
  scene,
  sphere,
  square,
} from '../../../renderer/pathtracer/wasm/test-scenes.ts';
import { benchGpu } from './run.ts';

const here = import.meta.dirname;
process.env.FRAMEWRIGHT_TRACER_WASM ??= join(here, 'tracer.wasm');
process.env.FRAMEWRIGHT_TRACER_WGSL ??= join(here, 'tracer.wgsl');
process.env.FRAMEWRIGHT_RAYS_WGSL ??= join(here, 'rays.wgsl');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    software: { type: 'boolean', default: false },
    threads: { type: 'string', default: '16' },
  },
});

/** Spheres of the given materials in a row, on a floor. */
const row = (surfaces: Partial<SurfaceMaterial>[]) =>
  scene({
    meshes: [square(20), ...surfaces.map((_, i) => sphere(96, i + 1))],
    instances: [place(0), ...surfaces.map((_, i) => place(i + 1, [2.2 * (i - (surfaces.length - 1) / 2), 1, 0]))],
    materials: [material({ baseColor: [0.6, 0.6, 0.6, 1] }), ...surfaces.map((surface) => material(surface))],
    environment: constantEnvironment([1, 0.9, 0.8]),
    camera: camera([0, 3, 12], [0, 0.8, 0], 0.5),
  });

const outcome = await benchGpu(
  { say: (line) => void process.stderr.write(`${line}\n`), threads: Number(values.threads), quick: values.quick },
  {
    allowSoftware: values.software,
    scenes: values.quick
      ? {}
      : {
          materials: row([
            { baseColor: [0.8, 0.2, 0.1, 1], roughness: 0.3 },
            { metallic: 1, roughness: 0.2, baseColor: [1, 0.8, 0.3, 1] },
            { transmission: 1, thickness: 1, roughness: 0 },
            { transmission: 1, thickness: 1, roughness: 0.2 },
          ]),
        },
    onPicture: async (name, { rect, beauty }) => {
      const width = rect.x1 - rect.x0;
      const height = rect.y1 - rect.y0;
      const bytes = new Uint8Array(width * height * 3);
      for (let i = 0; i < width * height; i++) {
        for (let k = 0; k < 3; k++) {
          bytes[i * 3 + k] = Math.round(255 * Math.min(1, Math.max(0, beauty[i * 4 + k]!)) ** (1 / 2.2));
        }
      }
      const file = join(positionals[0] ?? here, `${name.replaceAll(' ', '_')}.ppm`);
      await writeFile(file, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), bytes]));
    },
  },
);
process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
