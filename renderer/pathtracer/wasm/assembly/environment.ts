// Latitude-longitude environment: look-up, importance sampling and its density.
// The sampling grid has equal solid angle in every cell (rows uniform in y), so densities need no sine and no care at the poles;
// the tables are made by the host (environment-table.ts).
import {
  ENV_GUIDE,
  SCENE_ENV_COLUMNS,
  SCENE_ENV_CONDITIONAL,
  SCENE_ENV_CONDITIONAL_GUIDE,
  SCENE_ENV_HEIGHT,
  SCENE_ENV_INTENSITY,
  SCENE_ENV_MARGINAL,
  SCENE_ENV_MARGINAL_GUIDE,
  SCENE_ENV_PIXELS,
  SCENE_ENV_ROWS,
  SCENE_ENV_TURNS,
  SCENE_ENV_WIDTH,
} from './layout';
import { atan2, sinCosTurns } from './math';
import { mix, scale, vec, x, y, z } from './vec';

const INV_TWO_PI: f32 = <f32>0.159154943;
const INV_PI_F: f32 = <f32>0.318309886;

const INV_FOUR_PI: f32 = <f32>0.0795774715;

let pixels: usize = 0;
let width: i32 = 0;
let height: i32 = 0;
let turns: f32 = 0;
let intensity: f32 = 0;
/** Some direction is brighter than another. */
let hasPicture: bool = false;
let constant: v128 = i32x4(0, 0, 0, 0);
let columns: i32 = 1;
let rows: i32 = 1;
let marginal: usize = 0; // 0: directions are picked evenly over the sphere
let conditional: usize = 0;
let marginalGuide: usize = 0;
let conditionalGuide: usize = 0;

/** Density (per solid angle) of the direction that `sampleEnvironment` gave. */
export let environmentDensity: f32 = 0;

export function setEnvironment(scene: usize): void {
  pixels = load<u32>(scene, SCENE_ENV_PIXELS);
  width = load<i32>(scene, SCENE_ENV_WIDTH);
  height = load<i32>(scene, SCENE_ENV_HEIGHT);
  turns = load<f32>(scene, SCENE_ENV_TURNS);
  intensity = load<f32>(scene, SCENE_ENV_INTENSITY);
  marginal = load<u32>(scene, SCENE_ENV_MARGINAL);
  conditional = load<u32>(scene, SCENE_ENV_CONDITIONAL);
  marginalGuide = load<u32>(scene, SCENE_ENV_MARGINAL_GUIDE);
  conditionalGuide = load<u32>(scene, SCENE_ENV_CONDITIONAL_GUIDE);
  columns = load<i32>(scene, SCENE_ENV_COLUMNS);
  rows = load<i32>(scene, SCENE_ENV_ROWS);
  hasPicture = width > 1 || height > 1;
  if (pixels && !hasPicture) constant = scale(texel(pixels), intensity);
}

export function hasEnvironment(): bool {
  return pixels != 0;
}

/** Directions are picked evenly over the sphere. */
export function isEven(): bool {
  return marginal == 0;
}

/** Horizontal picture coordinate of a direction, in [0, 1). */
// @ts-ignore: decorator
@inline function azimuth(d: v128): f32 {
  const u = <f32>0.5 + atan2(x(d), -z(d)) * INV_TWO_PI + turns;
  return u - floor<f32>(u);
}

/** Three 16-bit mantissas times 2 to their common exponent: half the memory of floats, and the traffic is what counts here. */
// @ts-ignore: decorator
@inline function texel(at: usize): v128 {
  const packed = v128.load64_zero(at);
  const power = reinterpret<f32>(<u32>i16x8.extract_lane_u(packed, 3) << 23);
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(packed)), f32x4.splat(power));
}

/** Radiance that arrives from unit direction `d`; bilinear. */
export function environmentRadiance(d: v128): v128 {
  if (!hasPicture) return constant;
  const px = azimuth(d) * <f32>width - <f32>0.5;
  const py = atan2(sqrt<f32>(x(d) * x(d) + z(d) * z(d)), y(d)) * INV_PI_F * <f32>height - <f32>0.5;
  const fx = floor<f32>(px);
  const fy = floor<f32>(py);
  const ix = <i32>fx;
  const iy = <i32>fy;
  const x0 = ix < 0 ? width - 1 : min<i32>(ix, width - 1);
  const x1 = ix + 1 >= width ? 0 : ix + 1;
  const row0 = pixels + (<usize>(max<i32>(0, min<i32>(iy, height - 1)) * width) << 3);
  const row1 = pixels + (<usize>(max<i32>(0, min<i32>(iy + 1, height - 1)) * width) << 3);
  const top = mix(texel(row0 + (<usize>x0 << 3)), texel(row0 + (<usize>x1 << 3)), px - fx);
  const bottom = mix(texel(row1 + (<usize>x0 << 3)), texel(row1 + (<usize>x1 << 3)), px - fx);
  return scale(mix(top, bottom, py - fy), intensity);
}

/** Density per solid angle in a cell, from the very tables that are searched. */
// @ts-ignore: decorator
@inline function cellDensity(row: i32, column: i32): f32 {
  const rowAt = marginal + (<usize>row << 2);
  const at = conditional + (<usize>(row * (columns + 1) + column) << 2);
  return (load<f32>(rowAt, 4) - load<f32>(rowAt)) * (load<f32>(at, 4) - load<f32>(at)) * (<f32>(rows * columns) * INV_FOUR_PI);
}

/** Density with which `sampleEnvironment` picks `d`. */
export function densityOfEnvironment(d: v128): f32 {
  if (marginal == 0) return INV_FOUR_PI;
  const column = min<i32>(<i32>(azimuth(d) * <f32>columns), columns - 1);
  const row = max<i32>(0, min<i32>(<i32>((<f32>1.0 - y(d)) * <f32>0.5 * <f32>rows), rows - 1));
  return cellDensity(row, column);
}

/** Largest i with cdf[i] <= u; the guide table brackets it (Chen and Asau 1974). */
// @ts-ignore: decorator
@inline function search(cdf: usize, guide: usize, u: f32): i32 {
  const bucket = <usize>(u * <f32>ENV_GUIDE) << 1;
  let low = <i32>load<u16>(guide + bucket);
  let high = <i32>load<u16>(guide + bucket, 2) + 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<f32>(cdf + (<usize>middle << 2)) <= u) low = middle;
    else high = middle;
  }
  return low;
}

// @ts-ignore: decorator
@inline function fraction(cdf: usize, cell: i32, u: f32): f32 {
  const a = load<f32>(cdf + (<usize>cell << 2));
  const b = load<f32>(cdf + (<usize>cell << 2), 4);
  return b > a ? min<f32>((u - a) / (b - a), <f32>0.99999994) : <f32>0.5;
}

/** A direction distributed like the environment's luminance; sets `environmentDensity`. */
export function sampleEnvironment(u0: f32, u1: f32): v128 {
  let up: f32 = <f32>1.0 - <f32>2.0 * u0;
  let turn: f32 = u1;
  environmentDensity = INV_FOUR_PI;
  if (marginal) {
    const row = search(marginal, marginalGuide, u0);
    const rowCdf = conditional + (<usize>(row * (columns + 1)) << 2);
    const column = search(rowCdf, conditionalGuide + <usize>(row * (ENV_GUIDE + 1) * 2), u1);
    environmentDensity = cellDensity(row, column);
    up = <f32>1.0 - (<f32>row + fraction(marginal, row, u0)) * (<f32>2.0 / <f32>rows);
    turn = (<f32>column + fraction(rowCdf, column, u1)) / <f32>columns - <f32>0.5 - turns;
    turn -= floor<f32>(turn);
  }
  const sc = sinCosTurns(turn);
  const radius = sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - up * up));
  return vec(radius * f32x4.extract_lane(sc, 0), up, -radius * f32x4.extract_lane(sc, 1));
}
