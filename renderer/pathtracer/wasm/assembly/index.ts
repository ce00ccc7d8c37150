// What the host calls. Every function runs on one of the tracer's threads; all of them share one linear memory.
import { setEnergyCompensation } from './bsdf';
import { buildScratchBytes } from './bvh-build';
import { buildMeshTree, buildSceneBvh, emitMeshTree } from './bvh-emit';
import { setCamera } from './camera';
import { setEnergyTables } from './energy';
import { buildAnisotropicTable, buildEnergyTable, buildGlassTable, buildSheenTable } from './energy-tables';
import { setEnvironment } from './environment';
import { addSample, clearPixel, filmStride, setFilm, toneMappedVariance, writePixel } from './film';
import { setIntegrator, startPath, stepPath } from './integrator';
import {
  BLOCK,
  BUCKET,
  JOB_ABORT,
  JOB_ADAPTIVE_MINIMUM,
  JOB_ADAPTIVE_THRESHOLD,
  JOB_ENERGY_COMPENSATION,
  JOB_FRAME,
  JOB_NEXT_BUCKET,
  JOB_PIXELS_DONE,
  JOB_SAMPLE_COUNT,
  JOB_SAMPLES_TAKEN,
  JOB_SAMPLE_START,
  JOB_SEED,
  JOB_SUMS,
  JOB_X0,
  JOB_X1,
  JOB_Y0,
  JOB_Y1,
  SCENE_INSTANCES,
  SCENE_NODES,
  SCENE_SRGB_TABLE,
} from './layout';
import { setLights } from './lights';
import { probeBsdf } from './probe-bsdf';
import { probeLights } from './probe-lights';
import { probeRays } from './probe-traverse';
import { recordSteps } from './record';
import { startPixel } from './sampler';
import { setSheenScene } from './sheen';
import { setSrgbTable } from './texture';
import { rayCount, setTraversal } from './traverse';

export { buildMeshTree, buildSceneBvh, buildScratchBytes, emitMeshTree };
export { buildAnisotropicTable, buildEnergyTable, buildGlassTable, buildSheenTable, probeBsdf, probeLights, probeRays };

/**
 * Traces buckets of the job until none is left or the job is aborted; returns the rays this thread cast. Threads take buckets
 * from an atomic counter. Buckets lie on a grid that is fixed to the picture. `scratch` holds FILM_SCRATCH_SIZE bytes.
 */
export function trace(scene: usize, job: usize, workspace: usize, scratch: usize): f64 {
  prepare(scene, job, workspace);
  const adaptive = load<f32>(job, JOB_ADAPTIVE_THRESHOLD) > <f32>0.0;
  setFilm(job, adaptive);
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
    const top = max<i32>(y0, by);
    if (adaptive) {
      if (!traceBlocks(job, left, top, right, bottom, scratch)) return rayCount;
      continue;
    }
    for (let py = top; py < bottom; py++) {
      for (let px = left; px < right; px++) {
        if (atomic.load<i32>(job, JOB_ABORT)) return rayCount;
        tracePixel(job, px, py, <usize>((py - y0) * (x1 - x0) + px - x0), scratch);
      }
      atomic.add<i32>(job, right - left, JOB_PIXELS_DONE);
    }
  }
}

/** Sets the modules up for the scene and the job. */
function prepare(scene: usize, job: usize, workspace: usize): void {
  setTraversal(workspace, load<u32>(scene, SCENE_NODES), load<u32>(scene, SCENE_INSTANCES));
  setSrgbTable(load<u32>(scene, SCENE_SRGB_TABLE));
  setEnergyTables(scene);
  setSheenScene(scene);
  setEnergyCompensation(load<i32>(job, JOB_ENERGY_COMPENSATION) != 0);
  setEnvironment(scene);
  setLights(scene);
  setCamera(scene, job);
  setIntegrator(scene, job);
}

function tracePixel(job: usize, px: i32, py: i32, index: usize, scratch: usize): void {
  const first = load<i32>(job, JOB_SAMPLE_START);
  const count = load<i32>(job, JOB_SAMPLE_COUNT);
  const sums = <usize>load<u32>(job, JOB_SUMS);
  const record = sums ? sums + index * filmStride() : scratch;
  clearPixel(record);
  startPixel(load<u32>(job, JOB_SEED), load<u32>(job, JOB_FRAME), px, py);
  for (let sample = first; sample < first + count; sample++) {
    startPath(px, py, sample);
    while (stepPath()) {}
    addSample(record, sample);
  }
  if (!sums) writePixel(job, record, index);
}

/** Traces the blocks of a bucket, each until it is clean enough; false when the job was aborted. */
function traceBlocks(job: usize, left: i32, top: i32, right: i32, bottom: i32, scratch: usize): bool {
  for (let y = top; y < bottom; y += BLOCK) {
    for (let x = left; x < right; x += BLOCK) {
      if (!traceBlock(job, x, y, min<i32>(right, x + BLOCK), min<i32>(bottom, y + BLOCK), scratch)) return false;
    }
  }
  return true;
}

/**
 * Adaptive sampling of one block: rounds of samples for all its pixels until the root mean square of their standard errors
 * is below the threshold. Only the block's own samples decide, so its bits do not know of tiles.
 */
function traceBlock(job: usize, left: i32, top: i32, right: i32, bottom: i32, scratch: usize): bool {
  const seed = load<u32>(job, JOB_SEED);
  const frame = load<u32>(job, JOB_FRAME);
  const most = load<i32>(job, JOB_SAMPLE_COUNT);
  const threshold = <f64>load<f32>(job, JOB_ADAPTIVE_THRESHOLD);
  const stride = filmStride();
  const pixels = (right - left) * (bottom - top);
  for (let i = 0; i < pixels; i++) clearPixel(scratch + <usize>i * stride);
  let taken = 0;
  let until = min<i32>(most, load<i32>(job, JOB_ADAPTIVE_MINIMUM));
  while (true) {
    let record = scratch;
    let variance: f64 = 0.0;
    for (let py = top; py < bottom; py++) {
      for (let px = left; px < right; px++) {
        if (atomic.load<i32>(job, JOB_ABORT)) return false;
        startPixel(seed, frame, px, py);
        for (let sample = taken; sample < until; sample++) {
          startPath(px, py, sample);
          while (stepPath()) {}
          addSample(record, sample);
        }
        variance += toneMappedVariance(record);
        record += stride;
      }
    }
    taken = until;
    if (taken >= most || variance <= threshold * threshold * <f64>pixels) break;
    until = min<i32>(most, taken + max<i32>(4, taken >> 1));
  }
  const x0 = load<i32>(job, JOB_X0);
  const y0 = load<i32>(job, JOB_Y0);
  const width = load<i32>(job, JOB_X1) - x0;
  let record = scratch;
  for (let py = top; py < bottom; py++) {
    for (let px = left; px < right; px++) {
      writePixel(job, record, <usize>((py - y0) * width + px - x0));
      record += stride;
    }
  }
  atomic.add<i32>(job, pixels, JOB_PIXELS_DONE);
  atomic.add<i64>(job, <i64>pixels * <i64>taken, JOB_SAMPLES_TAKEN);
  return true;
}

/** Follows one sample's path again and writes each of its steps at `out`, at most `capacity`; returns their number. */
export function recordPath(
  scene: usize,
  job: usize,
  workspace: usize,
  px: i32,
  py: i32,
  sample: u32,
  out: usize,
  capacity: i32,
): i32 {
  prepare(scene, job, workspace);
  startPixel(load<u32>(job, JOB_SEED), load<u32>(job, JOB_FRAME), px, py);
  startPath(px, py, sample);
  return recordSteps(out, capacity);
}
