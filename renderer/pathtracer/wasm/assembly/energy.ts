// Directional albedo of the GGX lobe, tabulated over (roughness, cosine), for energy compensation.
//
// With single-scattering albedo E = A + B in the split-sum form F0 A + B (Karis 2013) and q = (1 - E) / E, the specular lobe is
// multiplied by 1 + F0 q (Turquin 2019, "Practical multiple scattering compensation for microfacet models"). Its albedo is
// then a polynomial in F0: B + (A + B q) F0 + A q F0^2. An entry holds the three coefficients and q; a second table holds
// their cosine-weighted averages, which the diffuse base needs (Kulla and Conty 2017).
import { ENERGY_SIZE } from './layout';
import { sampleVisibleNormal, schlickWeight, visibility, maskingOverCosine } from './microfacet';
import { add, dot, mix, scale, sub, vec, w, x, y, z } from './vec';

let table: usize = 0;

export function setEnergyTable(at: usize): void {
  table = at;
}

let compensates: bool = true;

/** Off: q is taken as 0 everywhere, and lobes are single-scattering. */
export function setCompensation(on: bool): void {
  compensates = on;
}

/** An entry as it is, or what it would be without compensation: (B, A, 0, 0). */
// @ts-ignore: decorator
@inline function chosen(e: v128): v128 {
  if (compensates) return e;
  return f32x4.replace_lane(vec(x(e), y(e) - x(e) * w(e), <f32>0.0), 3, <f32>0.0);
}

const LAST: f32 = <f32>31.0;
const SAMPLES: i32 = 1024;

// @ts-ignore: decorator
@inline function radicalInverse(i: u32): f32 {
  let v = ((i >> 1) & 0x55555555) | ((i & 0x55555555) << 1);
  v = ((v >> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  v = bswap<u32>(v);
  return <f32>(v >>> 8) * <f32>5.9604645e-8;
}

/** Fills the table by quasi-Monte Carlo over visible normals (a Hammersley set each, so the bits are always the same). */
export function buildEnergyTable(at: usize): void {
  for (let r = 0; r < ENERGY_SIZE; r++) {
    const roughness = <f32>r / LAST;
    const alpha = max<f32>(roughness * roughness, <f32>0.0005);
    let average = f32x4.splat(<f32>0.0);
    let weight: f32 = <f32>0.0;
    for (let c = 0; c < ENERGY_SIZE; c++) {
      const cosine = max<f32>(<f32>c / LAST, <f32>0.002);
      const o = vec(sqrt<f32>(<f32>1.0 - cosine * cosine), <f32>0.0, cosine);
      let a: f32 = <f32>0.0;
      let b: f32 = <f32>0.0;
      for (let s = 0; s < SAMPLES; s++) {
        const h = sampleVisibleNormal(o, alpha, (<f32>s + <f32>0.5) / <f32>SAMPLES, radicalInverse(s));
        const oh = dot(o, h);
        const i = sub(scale(h, <f32>2.0 * oh), o);
        if (z(i) <= <f32>0.0) continue;
        // G2 / G1, the weight of a sample whose Fresnel factor is one.
        const g = <f32>4.0 * z(i) * visibility(z(i), cosine, alpha) / maskingOverCosine(cosine, alpha);
        const f = schlickWeight(oh);
        a += g * (<f32>1.0 - f);
        b += g * f;
      }
      a /= <f32>SAMPLES;
      b /= <f32>SAMPLES;
      const e = min<f32>(a + b, <f32>1.0);
      const q = (<f32>1.0 - e) / e;
      const entry = f32x4.replace_lane(vec(b, a + b * q, a * q), 3, q);
      v128.store(at + <usize>((r * ENERGY_SIZE + c) * 16), entry);
      // Trapezoid rule for 2 E(mu) mu dmu.
      const wc = cosine * (c == 0 || c == ENERGY_SIZE - 1 ? <f32>0.5 : <f32>1.0);
      average = add(average, scale(entry, wc));
      weight += wc;
    }
    v128.store(at + <usize>((ENERGY_SIZE * ENERGY_SIZE + r) * 16), scale(average, <f32>1.0 / weight));
  }
}

/** Coefficients and q at (roughness, cosine), bilinear. */
export function energyAt(roughness: f32, cosine: f32): v128 {
  const r = min<f32>(max<f32>(roughness, <f32>0.0), <f32>1.0) * LAST;
  const c = min<f32>(max<f32>(cosine, <f32>0.0), <f32>1.0) * LAST;
  const r0 = min<i32>(<i32>r, ENERGY_SIZE - 2);
  const c0 = min<i32>(<i32>c, ENERGY_SIZE - 2);
  const at = table + <usize>((r0 * ENERGY_SIZE + c0) * 16);
  const fc = c - <f32>c0;
  return chosen(
    mix(mix(v128.load(at), v128.load(at, 16), fc), mix(v128.load(at, 512), v128.load(at, 528), fc), r - <f32>r0),
  );
}

/** Cosine-averaged coefficients at a roughness. */
export function averageEnergyAt(roughness: f32): v128 {
  const r = min<f32>(max<f32>(roughness, <f32>0.0), <f32>1.0) * LAST;
  const r0 = min<i32>(<i32>r, ENERGY_SIZE - 2);
  const at = table + <usize>((ENERGY_SIZE * ENERGY_SIZE + r0) * 16);
  return chosen(mix(v128.load(at), v128.load(at, 16), r - <f32>r0));
}

/** Albedo of the compensated lobe for a scalar F0. */
// @ts-ignore: decorator
@inline export function lobeAlbedo(coefficients: v128, f0: f32): f32 {
  return min<f32>(x(coefficients) + f0 * (f32x4.extract_lane(coefficients, 1) + f0 * z(coefficients)), <f32>1.0);
}
