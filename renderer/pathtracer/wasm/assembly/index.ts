// What the host calls. Every function runs on one of the tracer's threads; all of them share one linear memory.
import { setEnergyCompensation } from './bsdf';
import { buildScratchBytes } from './bvh-build';
import { buildMeshTree, buildSceneBvh, emitMeshTree } from './bvh-emit';
import { depthScale, generateRay, rayDirection, rayOrigin, setCamera } from './camera';
import { setEnergyTables } from './energy';
import { buildAnisotropicTable, buildEnergyTable, buildGlassTable, buildSheenTable } from './energy-tables';
import { setEnvironment } from './environment';
import { addSample, clearPixel, filmStride, setFilm, toneMappedVariance, writePixel } from './film';
import { meet, setIntegrator, startPath, startPathWithRay, stepPath } from './integrator';
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
import { recallHit, recallRay, setPacketRay, setPackets } from './packet-rays';
import { probeBsdf } from './probe-bsdf';
import { probeLights } from './probe-lights';
import { probePacket, probeRays } from './probe-traverse';
import { recordSteps } from './record';
import { pixelKey, sample4, startPixel, startSample } from './sampler';
import { setSheenScene } from './sheen';
import { setSrgbTable } from './texture';
import { rayCount, setTraversal } from './traverse';
import { castPacket } from './traverse-packet';
import { beginPath, castsTogether, followPaths, goesTogether, setWave } from './wave';

export { buildMeshTree, buildSceneBvh, buildScratchBytes, emitMeshTree };
export { buildAnisotropicTable, buildEnergyTable, buildGlassTable, buildSheenTable, probeBsdf, probeLights };
export { probePacket, probeRays };
export { probeNumbers } from './probe-sampler';

/**
 * Traces buckets of the job until none is left or the job is aborted; returns the rays this thread cast. Threads take buckets
 * from an atomic counter. Buckets lie on a grid that is fixed to the picture. `scratch` holds FILM_SCRATCH_SIZE bytes.
 */
export function trace(scene: usize, job: usize, workspace: usize, scratch: usize): f64 {
  prepare(scene, job, workspace);
  setFilm(job, load<f32>(job, JOB_ADAPTIVE_THRESHOLD) > <f32>0.0);
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
    for (let y = top; y < bottom; y += BLOCK) {
      for (let x = left; x < right; x += BLOCK) {
        if (!traceBlock(job, x, y, min<i32>(right, x + BLOCK), min<i32>(bottom, y + BLOCK), scratch)) return rayCount;
      }
    }
  }
}

/** Sets the modules up for the scene and the job. */
function prepare(scene: usize, job: usize, workspace: usize): void {
  setTraversal(workspace, load<u32>(scene, SCENE_NODES), load<u32>(scene, SCENE_INSTANCES));
  setPackets();
  setSrgbTable(load<u32>(scene, SCENE_SRGB_TABLE));
  setEnergyTables(scene);
  setSheenScene(scene);
  setEnergyCompensation(load<i32>(job, JOB_ENERGY_COMPENSATION) != 0);
  setEnvironment(scene);
  setLights(scene);
  setCamera(scene, job);
  setIntegrator(scene, job);
  setWave(scene, job);
}

/**
 * Traces one block of pixels; false when the job was aborted. With adaptive sampling that is rounds of samples for all of them until
 * the root mean square of their standard errors is below the threshold. Only the block's own samples decide, so its bits do not
 * know of tiles.
 */
function traceBlock(job: usize, left: i32, top: i32, right: i32, bottom: i32, scratch: usize): bool {
  const first = load<i32>(job, JOB_SAMPLE_START);
  const end = first + load<i32>(job, JOB_SAMPLE_COUNT);
  const threshold = <f64>load<f32>(job, JOB_ADAPTIVE_THRESHOLD);
  const sums = <usize>load<u32>(job, JOB_SUMS);
  const stride = filmStride();
  const columns = right - left;
  const pixels = columns * (bottom - top);
  const x0 = load<i32>(job, JOB_X0);
  const width = load<i32>(job, JOB_X1) - x0;
  const corner = (top - load<i32>(job, JOB_Y0)) * width + left - x0;
  const records = sums ? sums + <usize>corner * stride : scratch;
  const rowStride = <usize>(sums ? width : columns) * stride;
  for (let i = 0; i < pixels; i++) clearPixel(records + <usize>(i / columns) * rowStride + <usize>(i % columns) * stride);
  let taken = first;
  let until = threshold > 0.0 ? min<i32>(end, load<i32>(job, JOB_ADAPTIVE_MINIMUM)) : end;
  while (true) {
    if (!sampleBlock(job, left, top, right, bottom, taken, until, records, rowStride)) return false;
    taken = until;
    if (taken >= end) break;
    let variance: f64 = 0.0;
    for (let i = 0; i < pixels; i++) variance += toneMappedVariance(records + <usize>i * stride);
    if (variance <= threshold * threshold * <f64>pixels) break;
    until = min<i32>(end, taken + max<i32>(4, taken >> 1));
  }
  if (!sums) {
    for (let i = 0; i < pixels; i++) writePixel(job, records + <usize>i * stride, <usize>(corner + i / columns * width + i % columns));
  }
  atomic.add<i32>(job, pixels, JOB_PIXELS_DONE);
  if (threshold > 0.0) atomic.add<i64>(job, <i64>pixels * <i64>taken, JOB_SAMPLES_TAKEN);
  return true;
}

/** Adds samples `from` to `until` of a block's pixels to their records; false when the job was aborted. */
function sampleBlock(
  job: usize, left: i32, top: i32, right: i32, bottom: i32, from: i32, until: i32, records: usize, rowStride: usize,
): bool {
  const seed = load<u32>(job, JOB_SEED);
  const frame = load<u32>(job, JOB_FRAME);
  const stride = filmStride();
  for (let sample = from; sample < until; sample++) {
    if (atomic.load<i32>(job, JOB_ABORT)) return false;
    if (castsTogether) castBlock(seed, frame, left, top, right, bottom, sample);
    let index = 0;
    for (let py = top; py < bottom; py++) {
      let record = records + <usize>(py - top) * rowStride;
      for (let px = left; px < right; px++) {
        let goesOn: bool;
        if (goesTogether) {
          beginPath(index++, record);
          record += stride;
          continue;
        }
        if (castsTogether) {
          recallRay(index);
          startPathWithRay(sample);
          goesOn = meet(recallHit(index));
        } else {
          startPixel(seed, frame, px, py);
          startPath(px, py, sample);
          goesOn = stepPath();
        }
        while (goesOn) goesOn = stepPath();
        addSample(record, sample);
        record += stride;
        index++;
      }
    }
    if (goesTogether) followPaths(index, sample);
  }
  return true;
}

/** Casts the camera rays of one sample of each of a block's pixels. */
function castBlock(seed: u32, frame: u32, left: i32, top: i32, right: i32, bottom: i32, sample: u32): void {
  let index = 0;
  startSample(sample);
  for (let py = top; py < bottom; py++) {
    for (let px = left; px < right; px++) {
      startPixel(seed, frame, px, py);
      generateRay(px, py, sample4(0), <f32>0.0);
      setPacketRay(index, rayOrigin, rayDirection, depthScale, pixelKey);
      index++;
    }
  }
  castPacket(index);
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
