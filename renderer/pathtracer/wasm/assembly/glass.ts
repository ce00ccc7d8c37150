// Transmissive surfaces: smooth and rough dielectric boundaries (Walter et al. 2007, with visible-normal sampling), and
// thin walls, which pass light without bending it (KHR_materials_transmission). Base colour tints what is transmitted.
// Rough boundaries are single-scattering: they lose up to about a tenth of the energy at roughness 1.
import { energyAt } from './energy';
import { DELTA_ALPHA, distribution, fresnelDielectric, maskingOverCosine, sampleVisibleNormal, visibility } from './microfacet';
import { add, addScaled, dot, normalize, scale, sub, vec, w, x, y, z } from './vec';

/** Direction (local), density and whether the last sample went through; density of the last evaluation. */
export let sampledDirection: v128 = i32x4(0, 0, 0, 0);
export let density: f32 = 0;
export let sampledThrough: bool = false;
export let glassIsDelta: bool = false;

let outgoing: v128 = i32x4(0, 0, 0, 0);
let tint: v128 = i32x4(0, 0, 0, 0);
let alpha: f32 = 0;
/** Far side's index over the near side's. */
let eta: f32 = <f32>1.5;
let thin: bool = true;
let compensation: f32 = 1;

/** Prepares; `entering` tells on which side of a thick surface the viewer is. */
export function prepareGlass(o: v128, baseColor: v128, roughness: f32, ior: f32, isThin: bool, entering: bool): void {
  outgoing = o;
  tint = baseColor;
  alpha = roughness * roughness;
  glassIsDelta = alpha < DELTA_ALPHA;
  thin = isThin;
  eta = entering || isThin ? ior : <f32>1.0 / ior;
  // A thin wall reflects and passes with the same lobe, mirrored: what single scattering loses is given back to both.
  compensation = isThin && !glassIsDelta ? <f32>1.0 + w(energyAt(roughness, z(o))) : <f32>1.0;
  if (!isThin && abs<f32>(eta - <f32>1.0) < <f32>1e-4) glassIsDelta = true;
}

/** f |cos| for local `i`; sets `density`. Only for rough glass. */
export function evaluateGlass(i: v128): v128 {
  density = <f32>0.0;
  const cosO = z(outgoing);
  const cosI = z(i);
  if (cosI == <f32>0.0) return f32x4.splat(<f32>0.0);
  const through = cosI < <f32>0.0;
  if (thin) {
    const mirrored = vec(x(i), y(i), abs<f32>(cosI));
    const h = normalize(add(mirrored, outgoing));
    const f = fresnelDielectric(min<f32>(dot(outgoing, h), <f32>1.0), eta);
    const d = distribution(h, alpha);
    const share = through ? <f32>1.0 - f : f;
    density = share * d * maskingOverCosine(cosO, alpha) * <f32>0.25;
    const value = share * d * visibility(abs<f32>(cosI), cosO, alpha) * abs<f32>(cosI) * compensation;
    return through ? scale(tint, value) : f32x4.splat(value);
  }
  let h = through ? normalize(addScaled(outgoing, i, eta)) : normalize(add(outgoing, i));
  if (z(h) < <f32>0.0) h = sub(f32x4.splat(<f32>0.0), h);
  const oh = dot(outgoing, h);
  const ih = dot(i, h);
  if (oh <= <f32>0.0 || (through ? ih >= <f32>0.0 : ih <= <f32>0.0)) return f32x4.splat(<f32>0.0);
  const f = fresnelDielectric(min<f32>(oh, <f32>1.0), eta);
  const d = distribution(h, alpha);
  const normals = d * maskingOverCosine(cosO, alpha) * oh;
  if (!through) {
    density = f * normals / (<f32>4.0 * oh);
    return f32x4.splat(f * d * visibility(cosI, cosO, alpha) * cosI);
  }
  const root = ih + oh / eta;
  const jacobian = abs<f32>(ih) / max<f32>(root * root, <f32>1e-12);
  density = (<f32>1.0 - f) * normals * jacobian;
  // Radiance is compressed by 1 / eta^2 on the way in (Veach 1997, 5.2).
  const value =
    (<f32>1.0 - f) * d * <f32>4.0 * visibility(abs<f32>(cosI), cosO, alpha) * abs<f32>(cosI) * oh * jacobian / (eta * eta);
  return scale(tint, value);
}

/** Picks a direction; returns f |cos| / density. */
export function sampleGlass(choice: f32, u0: f32, u1: f32): v128 {
  const h = glassIsDelta ? vec(<f32>0.0, <f32>0.0, <f32>1.0) : sampleVisibleNormal(outgoing, alpha, u0, u1);
  const oh = min<f32>(dot(outgoing, h), <f32>1.0);
  const f = fresnelDielectric(oh, eta);
  sampledThrough = choice >= f;
  const reflected = sub(scale(h, <f32>2.0 * oh), outgoing);
  if (!sampledThrough) {
    sampledDirection = reflected;
  } else if (thin) {
    sampledDirection = vec(x(reflected), y(reflected), -z(reflected));
  } else {
    const cosT = sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - (<f32>1.0 - oh * oh) / (eta * eta)));
    sampledDirection = normalize(sub(scale(h, oh / eta - cosT), scale(outgoing, <f32>1.0 / eta)));
  }
  if (glassIsDelta) {
    density = <f32>1.0;
    if (!sampledThrough) return f32x4.splat(<f32>1.0);
    return scale(tint, thin ? <f32>1.0 : <f32>1.0 / (eta * eta));
  }
  if (sampledThrough != z(sampledDirection) < <f32>0.0) {
    density = <f32>0.0;
    return f32x4.splat(<f32>0.0);
  }
  const value = evaluateGlass(sampledDirection);
  return density > <f32>1e-12 ? scale(value, <f32>1.0 / density) : f32x4.splat(<f32>0.0);
}

/** Squared relative index of the last transmission, which Russian roulette must not mistake for absorption. */
export function etaSquared(): f32 {
  return thin ? <f32>1.0 : eta * eta;
}
