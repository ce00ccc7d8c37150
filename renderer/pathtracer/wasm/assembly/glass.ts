// Transmissive surfaces: smooth and rough dielectric boundaries (Walter et al. 2007, with visible-normal sampling), and
// thin walls, which pass light without bending it (KHR_materials_transmission, volume). Base colour tints what is let through.
// Specular factor and colour, and a thin film, bend Fresnel's curve between new ends at normal and grazing incidence; total
// reflection stays total. What single scattering loses is given back to both sides (energy.ts).
import { anisotropicEnergyAt, boundaryCompensation, energyAt, stretchOf } from './energy';
import { filmReflectance } from './iridescence';
import { FLAG_ANISOTROPY, FLAG_IRIDESCENCE, FLAG_SPECULAR } from './layout';
import { relativeIor } from './medium';
import {
  DELTA_ALPHA,
  distribution,
  fresnelDielectric,
  maskingOverCosine,
  sampleVisibleNormal,
  smithRoot,
  visibility,
} from './microfacet';
import {
  anisotropy,
  baseColor,
  dielectricF90,
  frontFace,
  ior,
  iridescence,
  iridescenceIor,
  iridescenceThickness,
  lobes,
  material,
  roughness,
  specularColor,
  thick,
} from './surface';
import { add, addScaled, dot, luminance, maxComponent, mix, normalize, scale, sub, vec, x, y, z } from './vec';

export let glassIsDelta: bool = false;
/** Estimate of the albedo (luminance) towards the viewer, for choosing between layers. */
export let glassAlbedo: f32 = 1;
/** f |cos| and density of the last evaluation; on which side it was is the direction's z. */
export let glassValue: v128 = i32x4(0, 0, 0, 0);
export let glassDensity: f32 = 0;
/** Of the last pick: direction, whether it goes through, and for deltas f |cos| and the chance. */
export let glassDirection: v128 = i32x4(0, 0, 0, 0);
export let glassThrough: bool = false;

let outgoing: v128 = i32x4(0, 0, 0, 0);
let outgoingRoot: f32 = 1;
let stretch: v128 = i32x4(0, 0, 0, 0);
/** Far side's index over the near side's. */
let eta: f32 = <f32>1.5;
let gain: f32 = 1;
/** Fresnel's reflectance F becomes shift + slope F: by channel for what is reflected, the largest for what is kept from going through. */
let isBent: bool = false;
let shift: v128 = i32x4(0, 0, 0, 0);
let slope: v128 = i32x4(0, 0, 0, 0);
let largestShift: f32 = 0;
let largestSlope: f32 = 1;
/** Bent reflectance for the last facet. */
let reflectance: f32 = 0;
let reflectanceColor: v128 = i32x4(0, 0, 0, 0);

/** Prepares for the hit in `surface.ts`; `o` is the local direction towards the viewer, z > 0. */
export function prepareGlass(o: v128): void {
  outgoing = o;
  eta = thick ? relativeIor(material, frontFace) : ior;
  // Volumes have isotropic boundaries: what an anisotropic one loses would take a table of five dimensions to give back.
  const strength: f32 = lobes & FLAG_ANISOTROPY && !thick ? anisotropy : <f32>0.0;
  stretch = stretchOf(roughness, strength);
  glassIsDelta = x(stretch) < DELTA_ALPHA || (thick && abs<f32>(eta - <f32>1.0) < <f32>1e-4);
  if (y(stretch) < DELTA_ALPHA) stretch = f32x4.max(stretch, f32x4.splat(DELTA_ALPHA));
  outgoingRoot = smithRoot(o, stretch);
  isBent = (lobes & (FLAG_SPECULAR | FLAG_IRIDESCENCE)) != 0;
  largestShift = <f32>0.0;
  largestSlope = <f32>1.0;
  if (isBent) bend(z(o));
  gain = <f32>1.0;
  if (!glassIsDelta) {
    // A thin wall reflects and passes with the same lobe, mirrored.
    if (thick) gain = boundaryCompensation(roughness, z(o), eta, largestShift, largestSlope);
    else gain = <f32>1.0 + z(strength > <f32>0.0 ? anisotropicEnergyAt(roughness, strength, o) : energyAt(roughness, z(o)));
  }
  setReflectance(z(o));
  glassAlbedo = luminance(reflectanceColor) + (<f32>1.0 - reflectance) * luminance(baseColor);
}

/** Sets shift and slope from the ends that specular factor, specular colour and film give to Fresnel's curve. */
function bend(cosine: f32): void {
  const step = (eta - <f32>1.0) / (eta + <f32>1.0);
  const plain = step * step;
  let f0 = scale(f32x4.min(scale(specularColor, plain), f32x4.splat(<f32>1.0)), dielectricF90);
  let f90 = dielectricF90;
  if (lobes & FLAG_IRIDESCENCE) {
    // The film's angle is the one outside.
    const outside =
      thick && !frontFace ? sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - (<f32>1.0 - cosine * cosine) / (eta * eta))) : cosine;
    f0 = mix(f0, filmReflectance(outside, iridescenceIor, iridescenceThickness, f0), iridescence);
    f90 += (<f32>1.0 - f90) * iridescence;
  }
  const rise = <f32>1.0 / max<f32>(<f32>1.0 - plain, <f32>1e-4);
  slope = scale(sub(f32x4.splat(f90), f0), rise);
  shift = addScaled(f0, slope, -plain);
  const largest = maxComponent(f0);
  largestSlope = (f90 - largest) * rise;
  largestShift = largest - largestSlope * plain;
}

/** Sets the reflectance of a facet seen under `cosine`. */
function setReflectance(cosine: f32): void {
  const f = fresnelDielectric(min<f32>(cosine, <f32>1.0), eta);
  reflectance = f;
  reflectanceColor = f32x4.splat(f);
  if (isBent && f < <f32>1.0) {
    reflectance = largestShift + largestSlope * f;
    reflectanceColor = addScaled(shift, slope, f);
  }
}

/** Fills value and density for local `i`. Only for rough glass. */
export function evaluateGlass(i: v128): void {
  glassDensity = <f32>0.0;
  glassValue = f32x4.splat(<f32>0.0);
  const cosI = z(i);
  if (glassIsDelta || cosI == <f32>0.0) return;
  const through = cosI < <f32>0.0;
  const cosine = abs<f32>(cosI);
  const cosO = z(outgoing);
  let h: v128;
  if (through && thick) {
    h = normalize(addScaled(outgoing, i, eta));
    if (z(h) < <f32>0.0) h = sub(f32x4.splat(<f32>0.0), h);
  } else {
    h = normalize(add(vec(x(i), y(i), cosine), outgoing));
  }
  const oh = dot(outgoing, h);
  if (!(oh > <f32>0.0)) return;
  setReflectance(oh);
  const d = distribution(h, stretch);
  const facets = d * maskingOverCosine(cosO, outgoingRoot);
  const value = gain * d * visibility(cosine, smithRoot(i, stretch), cosO, outgoingRoot) * cosine;
  if (!through) {
    glassDensity = reflectance * facets * <f32>0.25;
    glassValue = scale(reflectanceColor, value);
    return;
  }
  const passed = <f32>1.0 - reflectance;
  if (!thick) {
    glassDensity = passed * facets * <f32>0.25;
    glassValue = scale(baseColor, passed * value);
    return;
  }
  const ih = dot(i, h);
  if (!(ih < <f32>0.0)) return;
  const root = ih + oh / eta;
  const jacobian = -ih / max<f32>(root * root, <f32>1e-12);
  glassDensity = passed * facets * oh * jacobian;
  // Radiance is compressed by 1 / eta^2 on the way in (Veach 1997, 5.2).
  glassValue = scale(baseColor, passed * value * <f32>4.0 * oh * jacobian / (eta * eta));
}

/** Picks a direction; false when it is lost on the wrong side. */
export function pickGlass(choice: f32, u0: f32, u1: f32): bool {
  const h = glassIsDelta ? vec(<f32>0.0, <f32>0.0, <f32>1.0) : sampleVisibleNormal(outgoing, stretch, u0, u1);
  const oh = min<f32>(dot(outgoing, h), <f32>1.0);
  setReflectance(oh);
  glassThrough = choice >= reflectance;
  const reflected = sub(scale(h, <f32>2.0 * oh), outgoing);
  if (!glassThrough) {
    glassDirection = reflected;
    return z(reflected) > <f32>0.0;
  }
  if (!thick) {
    glassDirection = vec(x(reflected), y(reflected), -z(reflected));
    return z(reflected) > <f32>0.0;
  }
  const cosT = sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - (<f32>1.0 - oh * oh) / (eta * eta)));
  glassDirection = normalize(sub(scale(h, oh / eta - cosT), scale(outgoing, <f32>1.0 / eta)));
  return z(glassDirection) < <f32>0.0;
}

/** Chance of the picked side of a smooth surface. */
// @ts-ignore: decorator
@inline export function glassDeltaChance(): f32 {
  return glassThrough ? <f32>1.0 - reflectance : reflectance;
}

/** f |cos| of the picked side of a smooth surface, per unit of its delta. */
export function glassDelta(): v128 {
  if (!glassThrough) return reflectanceColor;
  return scale(baseColor, thick ? (<f32>1.0 - reflectance) / (eta * eta) : <f32>1.0 - reflectance);
}

/** Squared relative index of the last transmission, which Russian roulette must not mistake for absorption. */
export function etaSquared(): f32 {
  return thick ? eta * eta : <f32>1.0;
}
