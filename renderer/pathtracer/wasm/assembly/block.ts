// A block of pixels, sample after sample. Where camera rays are cast together, four samples of 4 x 4 pixels go at a time, if as many
// are left to take: closer together than one sample of 8 x 8 pixels. No bit changes with that.
import { generateFour } from './camera-four';
import { addSample, clearPixel, filmStride, toneMappedVariance, writePixel } from './film';
import { meet, startPath, startPathWithRay, stepPath } from './integrator';
import {
  BLOCK, JOB_ABORT, JOB_ADAPTIVE_GAIN, JOB_ADAPTIVE_MINIMUM, JOB_ADAPTIVE_THRESHOLD, JOB_FRAME, JOB_PIXELS_DONE, JOB_SAMPLE_COUNT,
  JOB_SAMPLES_TAKEN, JOB_SAMPLE_START, JOB_SEED, JOB_SUMS, JOB_X0, JOB_X1, JOB_Y0,
} from './layout';
import { beginRay, rayAt, recallHit, recallRay } from './packet-rays';
import { pixelKey, startPixel } from './sampler';
import { castPacket } from './traverse-packet';
import { beginPath, castsTogether, followPaths, goesTogether } from './wave';

/**
 * Traces one block of pixels; false when the job was aborted. With adaptive sampling that is rounds of samples for all of them until
 * the root mean square of their standard errors is below the threshold. Only the block's own samples decide, so its bits do not
 * know of tiles.
 */
export function traceBlock(job: usize, left: i32, top: i32, right: i32, bottom: i32, scratch: usize): bool {
  const first = load<i32>(job, JOB_SAMPLE_START);
  const end = first + load<i32>(job, JOB_SAMPLE_COUNT);
  const threshold = <f64>load<f32>(job, JOB_ADAPTIVE_THRESHOLD);
  const gain = <f64>load<f32>(job, JOB_ADAPTIVE_GAIN);
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
    for (let i = 0; i < pixels; i++) variance += toneMappedVariance(records + <usize>i * stride, gain);
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
  let samples = 1;
  for (let sample = from; sample < until; sample += samples) {
    if (atomic.load<i32>(job, JOB_ABORT)) return false;
    if (!castsTogether) {
      sampleAlone(seed, frame, left, top, right, bottom, sample, records, rowStride);
      continue;
    }
    const open = until - sample;
    samples = open >= 4 ? 4 : open >= 2 ? 2 : 1;
    const columns = samples == 4 ? BLOCK / 2 : BLOCK;
    const rows = samples == 1 ? BLOCK : BLOCK / 2;
    for (let y = top; y < bottom; y += rows) {
      for (let x = left; x < right; x += columns) {
        const corner = records + <usize>(y - top) * rowStride + <usize>(x - left) * stride;
        sampleTile(seed, frame, x, y, min<i32>(right, x + columns), min<i32>(bottom, y + rows), sample, samples, corner, rowStride);
      }
    }
  }
  return true;
}

/** One sample of each pixel, each path for itself. */
function sampleAlone(
  seed: u32, frame: u32, left: i32, top: i32, right: i32, bottom: i32, sample: u32, records: usize, rowStride: usize,
): void {
  const stride = filmStride();
  for (let py = top; py < bottom; py++) {
    let record = records + <usize>(py - top) * rowStride;
    for (let px = left; px < right; px++) {
      startPixel(seed, frame, px, py);
      startPath(px, py, sample);
      while (stepPath()) {}
      addSample(record, sample);
      record += stride;
    }
  }
}

/** `samples` samples of each of a tile's pixels, whose records begin at `records`, from `sample` on: 64 camera rays at most. */
function sampleTile(
  seed: u32, frame: u32, left: i32, top: i32, right: i32, bottom: i32, sample: i32, samples: i32, records: usize,
  rowStride: usize,
): void {
  const count = castTile(seed, frame, left, top, right, bottom, sample, samples);
  const stride = filmStride();
  let index = 0;
  for (let py = top; py < bottom; py++) {
    let record = records + <usize>(py - top) * rowStride;
    for (let px = left; px < right; px++) {
      for (let s = 0; s < samples; s++) {
        if (goesTogether) {
          beginPath(index, record);
        } else {
          recallRay(index);
          startPathWithRay(sample + s);
          let goesOn = meet(recallHit(index));
          while (goesOn) goesOn = stepPath();
          addSample(record, sample + s);
        }
        index++;
      }
      record += stride;
    }
  }
  if (goesTogether) followPaths(count);
}

/** Casts a tile's camera rays, those of a pixel one behind the other; returns how many. */
function castTile(
  seed: u32, frame: u32, left: i32, top: i32, right: i32, bottom: i32, sample: i32, samples: i32,
): i32 {
  let count = 0;
  for (let py = top; py < bottom; py++) {
    for (let px = left; px < right; px++) {
      startPixel(seed, frame, px, py);
      for (let s = 0; s < samples; s++) beginCameraRay(count++, px, py, sample + s);
    }
  }
  // The last four are filled up with copies.
  for (let i = count; i & 3; i++) beginCameraRay(i, right - 1, bottom - 1, sample);
  for (let i = 0; i < count; i += 4) generateFour(i);
  castPacket(count);
  return count;
}

/** Leaves the pixel where `generateFour` looks for it. */
// @ts-ignore: decorator
@inline function beginCameraRay(index: i32, px: i32, py: i32, sample: i32): void {
  const ray = rayAt(index);
  store<f32>(ray, <f32>px);
  store<f32>(ray, <f32>py, 4);
  beginRay(ray, pixelKey, sample);
}
