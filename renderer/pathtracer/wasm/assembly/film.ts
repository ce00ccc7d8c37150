// What the samples of a pixel add up to. Light is summed as integers (quanta of 2^-24, the smallest half float), so that sums
// do not depend on the order of the samples; the division at the end is the only rounding. CPU only.
import { depth, firstInstance, firstMaterial, firstMotion, firstNormal, firstPosition, firstUv } from './first-hit';
import {
  diffuseDirect,
  diffuseIndirect,
  emitted,
  radiance,
  specularDirect,
  specularIndirect,
  surroundings,
  transmitted,
} from './gathered';
import { albedo, coverage } from './integrator';
import {
  CRYPTO_BYTES,
  CRYPTO_IDS,
  CRYPTO_RANKS,
  FILM_CRYPTO,
  FILM_DEPTH,
  FILM_MOTION,
  FILM_NEAREST_SAMPLE,
  FILM_POSITION,
  FILM_SAMPLES,
  FILM_STRIDE,
  FILM_STRIDE_NAMES,
  FILM_UV,
  INSTANCE_NAME,
  JOB_FILM,
  JOB_LAYERS,
  JOB_SUMS,
  LAYER_ALBEDO,
  LAYER_BEAUTY,
  LAYER_CRYPTOMATTE_MATERIAL,
  LAYER_CRYPTOMATTE_OBJECT,
  LAYER_DEPTH,
  LAYER_DIFFUSE_DIRECT,
  LAYER_DIFFUSE_DIRECT_VARIANCE,
  LAYER_ENVIRONMENT,
  LAYER_MOTION,
  LAYER_NORMAL,
  LAYER_POSITION,
  LAYER_SAMPLE_COUNT,
  LAYER_UV,
  LAYER_VARIANCE,
  LIGHT_LAYERS,
  LIGHT_VARIANCES,
  MATERIAL_NAME,
  STATISTICS_BYTES,
  SUM_ALBEDO,
  SUM_BEAUTY,
  SUM_LIGHT,
  SUM_LIGHT_STATISTICS,
  SUM_LUMINANCE,
  SUM_NORMAL,
} from './layout';
import { luminance } from './vec';

/** Quanta in one. */
const QUANTA: f32 = <f32>16777216.0;
/** Where a sum of light stops, so that it cannot overflow; adding non-negative numbers up to here is still order-free. */
const FULL: i64 = 0x2000000000000000;
/** The brightest that statistics know, quanta: 2^24, some ten suns at noon on white paper. */
const BRIGHTEST: i64 = 0x1000000000000;

const CRYPTO_LAYERS: u32 = (1 << LAYER_CRYPTOMATTE_OBJECT) | (1 << LAYER_CRYPTOMATTE_MATERIAL);
const SURFACE: u32 = (1 << LAYER_ALBEDO) | (1 << LAYER_NORMAL);
const STATISTICS: u32 = 1 << LAYER_VARIANCE;

let layers: u32 = 0;
let splitsLight: bool = false;
/** Albedo or normals are wanted. */
let keepsSurface: bool = false;
let keepsNames: bool = false;
let keepsStatistics: bool = false;
let keepsLightStatistics: bool = false;

/** Takes the job's layers; `statistics`: adaptive sampling wants the luminance's sums. */
export function setFilm(job: usize, statistics: bool): void {
  layers = load<u32>(job, JOB_LAYERS);
  splitsLight = (layers & LIGHT_LAYERS) != 0;
  keepsSurface = (layers & SURFACE) != 0 || load<u32>(job, JOB_SUMS) != 0;
  keepsNames = (layers & CRYPTO_LAYERS) != 0;
  keepsStatistics = statistics || (layers & STATISTICS) != 0;
  keepsLightStatistics = (layers & LIGHT_VARIANCES) != 0;
}

/** Bytes of one record. */
export function filmStride(): usize {
  return keepsNames ? FILM_STRIDE_NAMES : FILM_STRIDE;
}

/** Empties the record at `at`. */
export function clearPixel(at: usize): void {
  memory.fill(at, 0, filmStride());
  store<f32>(at, Infinity, FILM_DEPTH);
}

// @ts-ignore: decorator
@inline function addLight(at: usize, value: f32): void {
  // Neither NaN nor less than nothing gets into a picture.
  const quanta = value > <f32>0.0 ? min<i64>(<i64>nearest<f32>(value * QUANTA), FULL) : 0;
  addTo(at, quanta);
}

/** Four sums in a row. What is between nothing and 64 is added to all of them at once. */
// @ts-ignore: decorator
@inline function addLight4(at: usize, v: v128): void {
  const quanta = f32x4.nearest(f32x4.mul(v, f32x4.splat(QUANTA)));
  const isUsual = v128.and(f32x4.ge(quanta, f32x4.splat(<f32>0.0)), f32x4.lt(quanta, f32x4.splat(<f32>1073741824.0)));
  if (!i32x4.all_true(isUsual)) {
    addLight3(at, v);
    addLight(at + 24, f32x4.extract_lane(v, 3));
    return;
  }
  const whole = i32x4.trunc_sat_f32x4_s(quanta);
  const full = i64x2.splat(FULL);
  const low = i64x2.add(v128.load(at), i64x2.extend_low_i32x4_s(whole));
  const high = i64x2.add(v128.load(at, 16), i64x2.extend_high_i32x4_s(whole));
  v128.store(at, v128.bitselect(full, low, i64x2.gt_s(low, full)));
  v128.store(at, v128.bitselect(full, high, i64x2.gt_s(high, full)), 16);
}

// @ts-ignore: decorator
@inline function addLight3(at: usize, v: v128): void {
  addLight(at, f32x4.extract_lane(v, 0));
  addLight(at + 8, f32x4.extract_lane(v, 1));
  addLight(at + 16, f32x4.extract_lane(v, 2));
}

/** Signed, for unit vectors. */
// @ts-ignore: decorator
@inline function addSigned(at: usize, value: f32): void {
  store<i64>(at, load<i64>(at) + <i64>nearest<f32>(value * QUANTA));
}

// @ts-ignore: decorator
@inline function store3(at: usize, v: v128): void {
  store<f32>(at, f32x4.extract_lane(v, 0));
  store<f32>(at, f32x4.extract_lane(v, 1), 4);
  store<f32>(at, f32x4.extract_lane(v, 2), 8);
}

// @ts-ignore: decorator
@inline function addTo(at: usize, amount: i64): void {
  store<i64>(at, min<i64>(load<i64>(at) + amount, FULL));
}

/**
 * Luminance and the square of its quanta, with no bit lost: rounded like light it would be nothing for a dim scene, and full for a
 * bright one. Squares have up to 96 bits, so they are summed in units of 2^44 and what is left of those.
 */
function addStatistics(at: usize, light: v128): void {
  const brightness = luminance(light);
  const quanta = brightness > <f32>0.0 ? min<i64>(<i64>nearest<f32>(brightness * QUANTA), BRIGHTEST) : 0;
  const high = quanta >> 22;
  const low = quanta & 0x3fffff;
  const cross = (high * low) << 1;
  addTo(at, quanta);
  addTo(at + 8, high * high + (cross >> 22));
  addTo(at + 16, ((cross & 0x3fffff) << 22) + low * low);
}

/** Adds the sample that the integrator has just finished to the record at `at`. */
export function addSample(at: usize, sample: u32): void {
  store<u32>(at, load<u32>(at, FILM_SAMPLES) + 1, FILM_SAMPLES);
  addLight4(at + SUM_BEAUTY, f32x4.replace_lane(radiance, 3, coverage));
  if (keepsSurface) addLight3(at + SUM_ALBEDO, albedo);
  if (keepsSurface && firstInstance) {
    addSigned(at + SUM_NORMAL, f32x4.extract_lane(firstNormal, 0));
    addSigned(at + SUM_NORMAL + 8, f32x4.extract_lane(firstNormal, 1));
    addSigned(at + SUM_NORMAL + 16, f32x4.extract_lane(firstNormal, 2));
  }
  if (depth < load<f32>(at, FILM_DEPTH)) {
    store<f32>(at, depth, FILM_DEPTH);
    store<u32>(at, sample, FILM_NEAREST_SAMPLE);
    store3(at + FILM_POSITION, firstPosition);
    store<f32>(at, f32x4.extract_lane(firstMotion, 0), FILM_MOTION);
    store<f32>(at, f32x4.extract_lane(firstMotion, 1), FILM_MOTION + 4);
    store<f32>(at, f32x4.extract_lane(firstUv, 0), FILM_UV);
    store<f32>(at, f32x4.extract_lane(firstUv, 1), FILM_UV + 4);
  }
  if (keepsStatistics) addStatistics(at + SUM_LUMINANCE, radiance);
  if (keepsLightStatistics) {
    addStatistics(at + SUM_LIGHT_STATISTICS, diffuseDirect);
    addStatistics(at + SUM_LIGHT_STATISTICS + 24, diffuseIndirect);
    addStatistics(at + SUM_LIGHT_STATISTICS + 48, specularDirect);
    addStatistics(at + SUM_LIGHT_STATISTICS + 72, specularIndirect);
    addStatistics(at + SUM_LIGHT_STATISTICS + 96, transmitted);
  }
  if (splitsLight) {
    addLight3(at + SUM_LIGHT, diffuseDirect);
    addLight3(at + SUM_LIGHT + 24, diffuseIndirect);
    addLight3(at + SUM_LIGHT + 48, specularDirect);
    addLight3(at + SUM_LIGHT + 72, specularIndirect);
    addLight3(at + SUM_LIGHT + 96, transmitted);
    addLight3(at + SUM_LIGHT + 120, emitted);
    addLight3(at + SUM_LIGHT + 144, surroundings);
  }
  if (keepsNames && firstInstance) {
    countName(at + FILM_CRYPTO, load<u32>(firstInstance, INSTANCE_NAME));
    countName(at + FILM_CRYPTO + CRYPTO_BYTES, load<u32>(firstMaterial, MATERIAL_NAME));
  }
}

/** Counts a sample for a name; when the table is full, names that come new are left out. */
function countName(table: usize, id: u32): void {
  for (let i = 0; i < CRYPTO_IDS; i++, table += 8) {
    const there = load<u32>(table);
    if (there != id && there != 0) continue;
    store<u32>(table, id);
    store<u32>(table, load<u32>(table, 4) + 1, 4);
    return;
  }
}

// @ts-ignore: decorator
@inline function mean(at: usize, scale: f64): f32 {
  return <f32>(<f64>load<i64>(at) / scale);
}

function writeMeans(to: usize, from: usize, count: i32, scale: f64): void {
  for (let i = 0; i < count; i++) store<f32>(to + (<usize>i << 2), mean(from + (<usize>i << 3), scale));
}

/** Variance of the mean of a luminance whose sum and sum of squares are at `sums`, as if samples were independent. */
function varianceOfSums(at: usize, sums: usize): f64 {
  const n = <f64>load<u32>(at, FILM_SAMPLES);
  if (n < 2.0) return 0.0;
  const average = <f64>load<i64>(sums) / n;
  const square = (<f64>load<i64>(sums, 8) * 17592186044416.0 + <f64>load<i64>(sums, 16)) / n;
  // Of squared quanta.
  return max<f64>(0.0, square - average * average) / ((n - 1.0) * 281474976710656.0);
}

/** Variance of the mean of the pixel's luminance, estimated from its samples as if they were independent. */
export function varianceOfMean(at: usize): f64 {
  return varianceOfSums(at, at + SUM_LUMINANCE);
}

/** Variance of the pixel's luminance, shown at `gain`, after the curve y / (1 + y), which is roughly what an eye gets to see. */
export function toneMappedVariance(at: usize, gain: f64): f64 {
  const average = <f64>load<i64>(at, SUM_LUMINANCE) / (<f64>load<u32>(at, FILM_SAMPLES) * 16777216.0);
  const slope = gain / ((1.0 + gain * average) * (1.0 + gain * average));
  return varianceOfMean(at) * slope * slope;
}

/** Writes the means of the record at `at` as pixel `index` of the job's layers. */
export function writePixel(job: usize, at: usize, index: usize): void {
  const samples = load<u32>(at, FILM_SAMPLES);
  const scale = <f64>samples * 16777216.0;
  for (let wanted = layers; wanted; wanted &= wanted - 1) {
    const layer = <i32>ctz(wanted);
    const film = <usize>load<u32>(job + (<usize>layer << 2), JOB_FILM);
    if (layer == LAYER_BEAUTY) {
      writeMeans(film + index * 16, at + SUM_BEAUTY, 4, scale);
    } else if (layer <= LAYER_ENVIRONMENT) {
      writeMeans(film + index * 12, at + SUM_LIGHT + <usize>(layer - LAYER_DIFFUSE_DIRECT) * 24, 3, scale);
    } else if (layer == LAYER_ALBEDO) {
      writeMeans(film + index * 12, at + SUM_ALBEDO, 3, scale);
    } else if (layer == LAYER_NORMAL) {
      writeMeans(film + index * 12, at + SUM_NORMAL, 3, scale);
    } else if (layer == LAYER_POSITION) {
      memory.copy(film + index * 12, at + FILM_POSITION, 12);
    } else if (layer == LAYER_DEPTH) {
      store<f32>(film + index * 4, load<f32>(at, FILM_DEPTH));
    } else if (layer == LAYER_MOTION) {
      memory.copy(film + index * 8, at + FILM_MOTION, 8);
    } else if (layer == LAYER_UV) {
      memory.copy(film + index * 8, at + FILM_UV, 8);
    } else if (layer == LAYER_SAMPLE_COUNT) {
      store<f32>(film + index * 4, <f32>samples);
    } else if (layer == LAYER_VARIANCE) {
      store<f32>(film + index * 4, <f32>varianceOfMean(at));
    } else if (layer >= LAYER_DIFFUSE_DIRECT_VARIANCE) {
      const sums = at + SUM_LIGHT_STATISTICS + <usize>(layer - LAYER_DIFFUSE_DIRECT_VARIANCE) * STATISTICS_BYTES;
      store<f32>(film + index * 4, <f32>varianceOfSums(at, sums));
    } else {
      const names = at + FILM_CRYPTO + <usize>(layer == LAYER_CRYPTOMATTE_MATERIAL ? CRYPTO_BYTES : 0);
      writeNames(film + index * (CRYPTO_RANKS * 8), names, <f64>samples);
    }
  }
}

/** The names with the most samples as (id, coverage), best first; equal ones by the bits of their ids. */
function writeNames(to: usize, table: usize, samples: f64): void {
  for (let rank = 0; rank < CRYPTO_RANKS; rank++) {
    let best: usize = table;
    for (let i = 1; i < CRYPTO_IDS; i++) {
      const at = table + <usize>(i << 3);
      const more = load<u32>(at, 4);
      const most = load<u32>(best, 4);
      if (more > most || (more == most && load<u32>(at) < load<u32>(best))) best = at;
    }
    const count = load<u32>(best, 4);
    store<u32>(to, count ? load<u32>(best) : 0);
    store<f32>(to, <f32>(<f64>count / samples), 4);
    // Taken: the table is of no more use once the ranks are written.
    store<u32>(best, 0, 4);
    to += 8;
  }
}
