// What the host calls. Every function runs on one of the tracer's threads; all of them share one linear memory.
import { setSrgbTable } from './texture';
import { buildScratchBytes } from './bvh-build';
import { buildMeshTree, buildSceneBvh, emitMeshTree } from './bvh-emit';
import { setCamera } from './camera';
import { setEnergyTables } from './energy';
import { buildAnisotropicTable, buildEnergyTable, buildGlassTable, buildSheenTable } from './energy-tables';
import { setEnvironment } from './environment';
import { albedo, depth, firstNormal, radiance, setIntegrator, tracePath } from './integrator';
import {
  BUCKET,
  JOB_ABORT,
  JOB_ALBEDO,
  JOB_BEAUTY,
  JOB_DEPTH,
  JOB_FRAME,
  JOB_MAX_DEPTH,
  JOB_NEXT_BUCKET,
  JOB_NORMAL,
  JOB_PIXELS_DONE,
  JOB_SAMPLE_COUNT,
  JOB_SAMPLE_START,
  JOB_SEED,
  JOB_X0,
  JOB_X1,
  JOB_Y0,
  JOB_Y1,
  SCENE_INSTANCES,
  SCENE_NODES,
  SCENE_SRGB_TABLE,
  SCENE_STRATEGY,
} from './layout';
import { setLights } from './lights';
import { probeBsdf } from './probe-bsdf';
import { startPixel } from './sampler';
import { setSheenScene } from './sheen';
import { rayCount, setTraversal } from './traverse';
import { add, scale } from './vec';

export { buildMeshTree, buildSceneBvh, buildScratchBytes, emitMeshTree };
export { buildAnisotropicTable, buildEnergyTable, buildGlassTable, buildSheenTable, probeBsdf };

/**
 * Traces buckets of the job until none is left or the job is aborted; returns the rays this thread cast. Threads take buckets
 * from an atomic counter. Buckets lie on a grid that is fixed to the picture.
 */
export function trace(scene: usize, job: usize, workspace: usize): f64 {
  setTraversal(workspace, load<u32>(scene, SCENE_NODES), load<u32>(scene, SCENE_INSTANCES));
  setSrgbTable(load<u32>(scene, SCENE_SRGB_TABLE));
  setEnergyTables(scene);
  setSheenScene(scene);
  setEnvironment(scene);
  setLights(scene);
  setCamera(scene, job);
  setIntegrator(load<i32>(job, JOB_MAX_DEPTH), load<i32>(scene, SCENE_STRATEGY));
  const x0 = load<i32>(job, JOB_X0);
  const y0 = load<i32>(job, JOB_Y0);
  const x1 = load<i32>(job, JOB_X1);
  const y1 = load<i32>(job, JOB_Y1);
  const firstColumn = x0 / BUCKET;
  const firstRow = y0 / BUCKET;
  const columns = (x1 + BUCKET - 1) / BUCKET - firstColumn;
  const rows = (y1 + BUCKET - 1) / BUCKET - firstRow;
  while (true) {
    const bucket = atomic.add<i32>(job, 1, JOB_NEXT_BUCKET);
    if (bucket >= columns * rows) return rayCount;
    const bx = (firstColumn + bucket % columns) * BUCKET;
    const by = (firstRow + bucket / columns) * BUCKET;
    const left = max<i32>(x0, bx);
    const right = min<i32>(x1, bx + BUCKET);
    const bottom = min<i32>(y1, by + BUCKET);
    for (let py = max<i32>(y0, by); py < bottom; py++) {
      for (let px = left; px < right; px++) {
        if (atomic.load<i32>(job, JOB_ABORT)) return rayCount;
        tracePixel(job, px, py, <usize>((py - y0) * (x1 - x0) + px - x0));
      }
      atomic.add<i32>(job, right - left, JOB_PIXELS_DONE);
    }
  }
}

function tracePixel(job: usize, px: i32, py: i32, index: usize): void {
  const first = load<i32>(job, JOB_SAMPLE_START);
  const count = load<i32>(job, JOB_SAMPLE_COUNT);
  startPixel(load<u32>(job, JOB_SEED), load<u32>(job, JOB_FRAME), px, py);
  let beauty = f32x4.splat(<f32>0.0);
  let albedoSum = f32x4.splat(<f32>0.0);
  let normalSum = f32x4.splat(<f32>0.0);
  let nearest: f32 = Infinity;
  for (let s = first; s < first + count; s++) {
    tracePath(px, py, s);
    beauty = add(beauty, radiance);
    albedoSum = add(albedoSum, albedo);
    normalSum = add(normalSum, firstNormal);
    nearest = min<f32>(nearest, depth);
  }
  const share = <f32>1.0 / <f32>count;
  v128.store(<usize>load<u32>(job, JOB_BEAUTY) + (index << 4), scale(beauty, share));
  store3(<usize>load<u32>(job, JOB_ALBEDO) + index * 12, scale(albedoSum, share));
  store3(<usize>load<u32>(job, JOB_NORMAL) + index * 12, scale(normalSum, share));
  store<f32>(<usize>load<u32>(job, JOB_DEPTH) + (index << 2), nearest);
}

// @ts-ignore: decorator
@inline function store3(at: usize, v: v128): void {
  store<f32>(at, f32x4.extract_lane(v, 0));
  store<f32>(at, f32x4.extract_lane(v, 1), 4);
  store<f32>(at, f32x4.extract_lane(v, 2), 8);
}
