// Fills the tables that `energy.ts` and `sheen.ts` read, by quasi-Monte Carlo over visible normals (a Hammersley set for each
// entry) or midpoint sums, so that the bits are always the same. Runs once, on the CPU; the GPU reads the finished tables.
import { stretchOf } from './energy';
import {
  ANISOTROPIC_AVERAGES,
  ANISOTROPIC_COSINES,
  ANISOTROPIC_ROUGHNESSES,
  ANISOTROPIC_STRENGTHS,
  ANISOTROPIC_TURNS,
  ENERGY_SIZE,
  GLASS_COSINES,
  GLASS_INDICES,
  GLASS_ROUGHNESSES,
  SHEEN_SIZE,
} from './layout';
import { sinCosTurns, TWO_PI } from './math';
import { fresnelDielectric, maskingOverCosine, sampleVisibleNormal, schlickWeight, smithRoot, visibility } from './microfacet';
import { evaluateSheen, prepareSheen, setSheenTable } from './sheen';
import { add, dot, normalize, scale, sub, vec, x, y, z } from './vec';

const SAMPLES: i32 = 1024;
const ANISOTROPIC_SAMPLES: i32 = 384;
const GLASS_SAMPLES: i32 = 384;
const SHEEN_STEPS: i32 = 40;
/** Roughness 0 is a mirror; its row stands for the smoothest lobe that is none. */
const SMOOTHEST: f32 = <f32>0.02;

// @ts-ignore: decorator
@inline function radicalInverse(i: u32): f32 {
  let v = ((i >> 1) & 0x55555555) | ((i & 0x55555555) << 1);
  v = ((v >> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  v = bswap<u32>(v);
  return <f32>(v >>> 8) * <f32>5.9604645e-8;
}

/** Cosine of node `index` of `count`: squares, and never quite grazing. */
// @ts-ignore: decorator
@inline function cosineAt(index: i32, count: i32): f32 {
  const root = <f32>index / <f32>(count - 1);
  return max<f32>(root * root, <f32>0.0004);
}

/** Weight of a node in the trapezoid rule for the mean of 2 c f(c) dc over squares c = k^2. */
// @ts-ignore: decorator
@inline function cosineWeight(index: i32, count: i32): f32 {
  const k = <f32>index;
  return index == count - 1 ? <f32>0.5 * k * k * k : k * k * k;
}

/** A number in [0, 1), moved on by a shift that differs between entries: neighbours that are blended do not share their errors. */
// @ts-ignore: decorator
@inline function moved(u: f32, entry: i32, step: f32): f32 {
  const s = <f32>(entry & 1023) * step;
  const v = u + s - floor<f32>(s);
  return v < <f32>1.0 ? v : v - <f32>1.0;
}

/** Visible normal number `s` for an entry of a table. */
// @ts-ignore: decorator
@inline function sampleNormal(o: v128, stretch: v128, s: i32, samples: i32, entry: i32): v128 {
  return sampleVisibleNormal(
    o,
    stretch,
    moved((<f32>s + <f32>0.5) / <f32>samples, entry, <f32>0.754877666),
    moved(radicalInverse(s), entry, <f32>0.569840291),
  );
}

/** Split-sum albedo (A, B) of a GGX lobe seen from `o`. */
function reflectedShares(o: v128, stretch: v128, samples: i32, entry: i32): v128 {
  const rootO = smithRoot(o, stretch);
  const masking = maskingOverCosine(z(o), rootO);
  let a: f32 = <f32>0.0;
  let b: f32 = <f32>0.0;
  for (let s = 0; s < samples; s++) {
    const h = sampleNormal(o, stretch, s, samples, entry);
    const oh = dot(o, h);
    const i = sub(scale(h, <f32>2.0 * oh), o);
    if (z(i) <= <f32>0.0) continue;
    // G2 / G1, the weight of a sample whose Fresnel factor is one.
    const g = <f32>4.0 * z(i) * visibility(z(i), smithRoot(i, stretch), z(o), rootO) / masking;
    const f = schlickWeight(oh);
    a += g * (<f32>1.0 - f);
    b += g * f;
  }
  return vec(a / <f32>samples, b / <f32>samples, <f32>0.0);
}

/** (A, B) with its share of (A, B, A q, B q), for the means. */
// @ts-ignore: decorator
@inline function withProducts(e: v128): v128 {
  const sum = min<f32>(x(e) + y(e), <f32>1.0);
  const q = (<f32>1.0 - sum) / max<f32>(sum, <f32>0.01);
  return f32x4.replace_lane(f32x4.replace_lane(e, 2, x(e) * q), 3, y(e) * q);
}

/** ENERGY_SIZE^2 entries [roughness][cosine] of (A, B), then the means of each roughness. */
export function buildEnergyTable(at: usize): void {
  for (let r = 0; r < ENERGY_SIZE; r++) {
    const stretch = stretchOf(max<f32>(<f32>r / <f32>(ENERGY_SIZE - 1), SMOOTHEST), <f32>0.0);
    let sum = f32x4.splat(<f32>0.0);
    let weight: f32 = <f32>0.0;
    for (let c = 0; c < ENERGY_SIZE; c++) {
      const cosine = cosineAt(c, ENERGY_SIZE);
      const e = reflectedShares(vec(sqrt<f32>(<f32>1.0 - cosine * cosine), <f32>0.0, cosine), stretch, SAMPLES, 0);
      v128.store(at + <usize>((r * ENERGY_SIZE + c) * 16), e);
      const wc = cosineWeight(c, ENERGY_SIZE);
      sum = add(sum, scale(withProducts(e), wc));
      weight += wc;
    }
    v128.store(at + <usize>((ENERGY_SIZE * ENERGY_SIZE + r) * 16), scale(sum, <f32>1.0 / weight));
  }
}

/** Entries [roughness][strength][turn][cosine] of (A, B), then the means of each roughness and strength; rows from `first` to `end`. */
export function buildAnisotropicTable(at: usize, first: i32, end: i32): void {
  for (let r = first; r < end; r++) {
    for (let s = 0; s < ANISOTROPIC_STRENGTHS; s++) {
      const lobe = r * ANISOTROPIC_STRENGTHS + s;
      const roughness = max<f32>(<f32>r / <f32>(ANISOTROPIC_ROUGHNESSES - 1), SMOOTHEST);
      const stretch = stretchOf(roughness, <f32>s / <f32>(ANISOTROPIC_STRENGTHS - 1));
      let sum = f32x4.splat(<f32>0.0);
      let weight: f32 = <f32>0.0;
      for (let t = 0; t < ANISOTROPIC_TURNS; t++) {
        const along = <f32>t / <f32>(ANISOTROPIC_TURNS - 1);
        const turn = normalize(vec(along, <f32>1.0 - along, <f32>0.0));
        // Azimuth's measure over `along`: d(atan2(1 - a, a)) = da / (a^2 + (1 - a)^2).
        const wt = (t == 0 || t == ANISOTROPIC_TURNS - 1 ? <f32>0.5 : <f32>1.0) / (along * along + (<f32>1.0 - along) * (<f32>1.0 - along));
        for (let c = 0; c < ANISOTROPIC_COSINES; c++) {
          const cosine = cosineAt(c, ANISOTROPIC_COSINES);
          const o = f32x4.replace_lane(scale(turn, sqrt<f32>(<f32>1.0 - cosine * cosine)), 2, cosine);
          const entry = (lobe * ANISOTROPIC_TURNS + t) * ANISOTROPIC_COSINES + c;
          const e = reflectedShares(o, stretch, ANISOTROPIC_SAMPLES, entry);
          v128.store(at + <usize>(entry * 16), e);
          const wc = wt * cosineWeight(c, ANISOTROPIC_COSINES);
          sum = add(sum, scale(withProducts(e), wc));
          weight += wc;
        }
      }
      v128.store(at + ANISOTROPIC_AVERAGES + <usize>(lobe * 16), scale(sum, <f32>1.0 / weight));
    }
  }
}

/**
 * Entries [index][roughness][cosine] of a rough dielectric boundary: reflected with F, let through with 1 - F, let through with
 * 1, reflected totally. The index is (eta - 1) / (eta + 1) from -0.75 to 0.75. Rows from `first` to `end`.
 */
export function buildGlassTable(at: usize, first: i32, end: i32): void {
  for (let n = first; n < end; n++) {
    const step = (<f32>n / <f32>(GLASS_INDICES - 1) - <f32>0.5) * <f32>1.5;
    const eta = (<f32>1.0 + step) / (<f32>1.0 - step);
    for (let r = 0; r < GLASS_ROUGHNESSES; r++) {
      const stretch = stretchOf(max<f32>(<f32>r / <f32>(GLASS_ROUGHNESSES - 1), SMOOTHEST), <f32>0.0);
      for (let c = 0; c < GLASS_COSINES; c++) {
        const cosine = cosineAt(c, GLASS_COSINES);
        const entry = (n * GLASS_ROUGHNESSES + r) * GLASS_COSINES + c;
        const e = boundaryShares(vec(sqrt<f32>(<f32>1.0 - cosine * cosine), <f32>0.0, cosine), stretch, eta, entry);
        v128.store(at + <usize>(entry * 16), e);
      }
    }
  }
}

function boundaryShares(o: v128, stretch: v128, eta: f32, entry: i32): v128 {
  const rootO = smithRoot(o, stretch);
  const masking = maskingOverCosine(z(o), rootO);
  let sum = f32x4.splat(<f32>0.0);
  for (let s = 0; s < GLASS_SAMPLES; s++) {
    const h = sampleNormal(o, stretch, s, GLASS_SAMPLES, entry);
    const oh = min<f32>(dot(o, h), <f32>1.0);
    const f = fresnelDielectric(oh, eta);
    const i = sub(scale(h, <f32>2.0 * oh), o);
    if (z(i) > <f32>0.0) {
      const g = <f32>4.0 * z(i) * visibility(z(i), smithRoot(i, stretch), z(o), rootO) / masking;
      sum = add(sum, vec4(f * g, <f32>0.0, <f32>0.0, f >= <f32>1.0 ? g : <f32>0.0));
    }
    const sin2 = (<f32>1.0 - oh * oh) / (eta * eta);
    if (sin2 >= <f32>1.0) continue;
    const t = sub(scale(h, oh / eta - sqrt<f32>(<f32>1.0 - sin2)), scale(o, <f32>1.0 / eta));
    if (z(t) < <f32>0.0) {
      const g = <f32>-4.0 * z(t) * visibility(-z(t), smithRoot(t, stretch), z(o), rootO) / masking;
      sum = add(sum, vec4(<f32>0.0, (<f32>1.0 - f) * g, g, <f32>0.0));
    }
  }
  return scale(sum, <f32>1.0 / <f32>GLASS_SAMPLES);
}

// @ts-ignore: decorator
@inline function vec4(a: f32, b: f32, c: f32, d: f32): v128 {
  return f32x4.replace_lane(vec(a, b, c), 3, d);
}

/** SHEEN_SIZE^2 floats [roughness][cosine]: albedo of white sheen, by the midpoint rule over the hemisphere. */
export function buildSheenTable(at: usize): void {
  setSheenTable(at);
  // While the table is empty, sheen is what the model says.
  memory.fill(at, 0, SHEEN_SIZE * SHEEN_SIZE * 4);
  for (let r = 0; r < SHEEN_SIZE; r++) {
    for (let c = 0; c < SHEEN_SIZE; c++) {
      const cosine = cosineAt(c, SHEEN_SIZE);
      prepareSheen(
        vec(sqrt<f32>(<f32>1.0 - cosine * cosine), <f32>0.0, cosine),
        f32x4.splat(<f32>1.0),
        <f32>r / <f32>(SHEEN_SIZE - 1),
      );
      let sum: f32 = <f32>0.0;
      for (let k = 0; k < SHEEN_STEPS; k++) {
        const up = (<f32>k + <f32>0.5) / <f32>SHEEN_STEPS;
        const radius = sqrt<f32>(<f32>1.0 - up * up);
        for (let j = 0; j < SHEEN_STEPS; j++) {
          // Half a turn is enough: the other half mirrors it.
          const sc = sinCosTurns((<f32>j + <f32>0.5) / (<f32>2.0 * <f32>SHEEN_STEPS));
          sum += x(evaluateSheen(vec(radius * f32x4.extract_lane(sc, 1), radius * f32x4.extract_lane(sc, 0), up)));
        }
      }
      store<f32>(at + <usize>((r * SHEEN_SIZE + c) * 4), sum * TWO_PI / <f32>(SHEEN_STEPS * SHEEN_STEPS));
    }
  }
}
