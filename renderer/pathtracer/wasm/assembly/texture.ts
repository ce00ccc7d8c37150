// Texture look-up as glTF 2.0 defines samplers: nearest or bilinear, three wrap modes, sRGB decoded before filtering.
import {
  TEXTURE_FLAGS,
  TEXTURE_HEIGHT,
  TEXTURE_NEAREST,
  TEXTURE_PIXELS,
  TEXTURE_SRGB,
  TEXTURE_TRANSFORM,
  TEXTURE_WIDTH,
  TEXTURE_WRAP_S_SHIFT,
  TEXTURE_WRAP_T_SHIFT,
} from './layout';

let srgbTable: usize = 0;

export function setSrgbTable(at: usize): void {
  srgbTable = at;
}

/** Coordinate folded into [0, 1]; NaN becomes 0. */
// @ts-ignore: decorator
@inline function fold(s: f32, wrap: i32): f32 {
  if (wrap == 0) {
    s -= floor<f32>(s);
  } else if (wrap == 2) {
    s *= <f32>0.5;
    s = (s - floor<f32>(s)) * <f32>2.0;
    if (s > <f32>1.0) s = <f32>2.0 - s;
  }
  return s > <f32>0.0 ? min<f32>(s, <f32>1.0) : <f32>0.0;
}

/** Texel index one step outside is wrapped (repeat) or held (clamp and mirror, where the edge repeats itself). */
// @ts-ignore: decorator
@inline function edge(i: i32, n: i32, wrap: i32): i32 {
  if (wrap == 0) return i < 0 ? i + n : i >= n ? i - n : i;
  return max<i32>(0, min<i32>(i, n - 1));
}

// @ts-ignore: decorator
@inline function texel(at: usize, srgb: bool): v128 {
  if (srgb) {
    const rgba = load<u32>(at);
    const r = load<f32>(srgbTable + (<usize>(rgba & 255) << 2));
    const g = load<f32>(srgbTable + (<usize>((rgba >> 8) & 255) << 2));
    const b = load<f32>(srgbTable + (<usize>((rgba >> 16) & 255) << 2));
    const a = <f32>(rgba >> 24) * <f32>0.003921569;
    return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(r), 1, g), 2, b), 3, a);
  }
  const wide = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
  return f32x4.mul(f32x4.convert_i32x4_u(wide), f32x4.splat(<f32>0.003921569));
}

/** RGBA of the texture slot at (u, v), v pointing down as in glTF. */
export function sampleTexture(slot: usize, u: f32, v: f32): v128 {
  const flags = load<i32>(slot, TEXTURE_FLAGS);
  const srgb = (flags & TEXTURE_SRGB) != 0;
  const wrapS = (flags >> TEXTURE_WRAP_S_SHIFT) & 3;
  const wrapT = (flags >> TEXTURE_WRAP_T_SHIFT) & 3;
  const t = slot + TEXTURE_TRANSFORM;
  const s0 = fold(load<f32>(t) * u + load<f32>(t, 4) * v + load<f32>(t, 8), wrapS);
  const t0 = fold(load<f32>(t, 12) * u + load<f32>(t, 16) * v + load<f32>(t, 20), wrapT);
  const width = load<i32>(slot, TEXTURE_WIDTH);
  const height = load<i32>(slot, TEXTURE_HEIGHT);
  const pixels = <usize>load<u32>(slot, TEXTURE_PIXELS);
  if (flags & TEXTURE_NEAREST) {
    const ix = min<i32>(<i32>(s0 * <f32>width), width - 1);
    const iy = min<i32>(<i32>(t0 * <f32>height), height - 1);
    return texel(pixels + (<usize>(iy * width + ix) << 2), srgb);
  }
  const x = s0 * <f32>width - <f32>0.5;
  const y = t0 * <f32>height - <f32>0.5;
  const fx = floor<f32>(x);
  const fy = floor<f32>(y);
  const x0 = edge(<i32>fx, width, wrapS);
  const x1 = edge(<i32>fx + 1, width, wrapS);
  const row0 = pixels + (<usize>(edge(<i32>fy, height, wrapT) * width) << 2);
  const row1 = pixels + (<usize>(edge(<i32>fy + 1, height, wrapT) * width) << 2);
  const wx = f32x4.splat(x - fx);
  const wy = f32x4.splat(y - fy);
  const a = texel(row0 + (<usize>x0 << 2), srgb);
  const b = texel(row0 + (<usize>x1 << 2), srgb);
  const c = texel(row1 + (<usize>x0 << 2), srgb);
  const d = texel(row1 + (<usize>x1 << 2), srgb);
  const top = f32x4.add(a, f32x4.mul(f32x4.sub(b, a), wx));
  const bottom = f32x4.add(c, f32x4.mul(f32x4.sub(d, c), wx));
  return f32x4.add(top, f32x4.mul(f32x4.sub(bottom, top), wy));
}
