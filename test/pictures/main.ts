/**
 * Renders the pictures of `docs/renderer.md` through the engine, on the CPU tier: `npm run docs:pictures [-- --help]`.
 *
 * The same build gives the same pictures. `techniques` has a raster draft in it and needs Vulkan (FARM_SOFTWARE_VULKAN=1 will do);
 * without, it is left as it is, and that is said.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import type { RequestedSettings } from '../../domain/settings.ts';
import { buildDemoShot } from '../../renderer/demo/demoShot.ts';
import { openEngine } from '../../renderer/local.ts';
import { readCommandLine, someOf } from '../bench/commandLine.ts';
import { arrange, type Rendered, renderFrame, showCryptomatte, showDepth, showLight, showNormal } from './panels.ts';
import { carousel, glassAtDusk, lampField, materialGrid } from './stages.ts';

/** Frame of the demo shot that is shown. */
const DEMO_FRAME = 15;

type Render = (frame: number, asked: RequestedSettings) => Promise<Rendered>;

interface Picture {
  stage(file: string): Promise<void>;
  columns: number;
  panels(render: Render): Promise<Buffer[]>;
}

const PICTURES: Record<string, Picture> = {
  materials: {
    stage: materialGrid,
    columns: 1,
    panels: async (render) => [(await render(1, { width: 644, height: 552, samples: 160, exposure: -0.4 })).preview],
  },
  glass: {
    stage: glassAtDusk,
    columns: 1,
    panels: async (render) => [(await render(1, { width: 640, height: 360, samples: 192, maxDepth: 12 })).preview],
  },
  lamps: {
    stage: lampField,
    columns: 1,
    panels: async (render) => [(await render(1, { width: 640, height: 300, samples: 512 })).preview],
  },
  lens: {
    stage: carousel,
    columns: 2,
    panels: async (render) => {
      const size = { width: 318, height: 240, samples: 384 };
      const still = await render(1, { ...size, lens: { fStop: 1.4, blades: 6 } });
      const moving = await render(1, { ...size, shutter: 0.5 });
      return [still.preview, moving.preview];
    },
  },
  layers: {
    stage: buildDemoShot,
    columns: 2,
    panels: async (render) => {
      const layers = ['albedo', 'normal', 'depth', 'cryptomatte_object', 'specular_direct', 'specular_indirect'];
      const size = { width: 318, height: 179, samples: 384 };
      const { preview, exr } = await render(DEMO_FRAME, { ...size, output: { layers } });
      return [
        preview,
        await showLight(exr, ['albedo']),
        await showNormal(exr),
        await showDepth(exr),
        await showCryptomatte(exr, 'CryptoObject'),
        await showLight(exr, ['specular_direct', 'specular_indirect']),
      ];
    },
  },
  techniques: {
    stage: buildDemoShot,
    columns: 3,
    panels: async (render) => {
      const size = { width: 318, height: 180, crop: { x0: 50, y0: 0, x1: 262, y1: 180 } };
      const raster = await render(DEMO_FRAME, { ...size, technique: 'raster', tier: 'auto' });
      const raycast = await render(DEMO_FRAME, { ...size, technique: 'raycast' });
      const final = await render(DEMO_FRAME, { ...size, samples: 256 });
      return [raster, raycast, final].map(({ preview }) => preview);
    },
  },
  denoised: {
    stage: buildDemoShot,
    columns: 3,
    panels: async (render) => {
      const size = { width: 640, height: 360, crop: { x0: 190, y0: 90, x1: 402, y1: 270 } };
      const noisy = await render(DEMO_FRAME, { ...size, samples: 16, denoise: false });
      const clean = await render(DEMO_FRAME, { ...size, samples: 16, denoise: true });
      const converged = await render(DEMO_FRAME, { ...size, samples: 512, denoise: false });
      return [noisy, clean, converged].map(({ preview }) => preview);
    },
  },
};

const NAMES = Object.keys(PICTURES);
const USAGE = `npm run docs:pictures [-- --only PICTURE,PICTURE] [--out docs/images] [--quick]

Pictures: ${NAMES.join(', ')}. --quick takes a sixteenth of the samples, to look at a stage.`;
const { only, out, quick } = readCommandLine(
  USAGE,
  {
    only: { type: 'string', default: NAMES.join(',') },
    out: { type: 'string', default: join('docs', 'images') },
    quick: { type: 'boolean', default: false },
  },
  (values) => ({ ...values, only: someOf('only', values.only, NAMES) }),
);
const folder = await mkdtemp(join(tmpdir(), 'framewright-pictures-'));
await mkdir(out, { recursive: true });
const engine = openEngine();
try {
  for (const name of only) {
    const { stage, columns, panels } = PICTURES[name]!;
    const started = performance.now();
    await stage(join(folder, `${name}.glb`));
    const render: Render = (frame, asked) => {
      const samples = Math.max(1, Math.round((asked.samples ?? 1) / (quick ? 16 : 1)));
      return renderFrame(
        engine,
        folder,
        `${name}.glb`,
        frame,
        { tier: 'cpu', seed: 1, ...asked, samples },
        availableParallelism(),
      );
    };
    try {
      const bytes = await arrange(await panels(render), columns);
      await writeFile(join(out, `${name}.jpg`), bytes);
      const seconds = Math.round((performance.now() - started) / 1000);
      process.stdout.write(`${name}.jpg: ${bytes.length} bytes, ${seconds} s\n`);
    } catch (error) {
      if (!(error instanceof FarmError) || error.code !== 'GpuMissing') throw error;
      process.stderr.write(`${name}.jpg is left as it is: ${error.message}\n`);
      process.exitCode = 3;
    }
  }
} finally {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
}
