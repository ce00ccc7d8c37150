// Thin-film interference (Belcour and Barla 2017, "A Practical Extension to Microfacet Theory for the Modeling of Varying
// Iridescence") in the form of KHR_materials_iridescence: no polarisation, Schlick's reflectances, spectral integration by
// Gaussians in Fourier space. The film is looked at under the viewing angle once a hit, and continued over the microfacets by
// Schlick's curve (as Khronos' sample renderer does for image light), which keeps layers' energy in balance.
import { expNegative, INV_PI, PI, sinCosTurns } from './math';
import { schlickWeight } from './microfacet';
import { add, addScaled, mul, scale, sub, vec, x, y, z } from './vec';

/** Reflectance at normal incidence of the step between two indices. */
// @ts-ignore: decorator
@inline function stepReflectance(far: f32, near: f32): f32 {
  const r = (far - near) / (far + near);
  return r * r;
}

// @ts-ignore: decorator
@inline function cosine(radians: f32): f32 {
  const turns = radians * <f32>0.5 * INV_PI;
  return f32x4.extract_lane(sinCosTurns(turns - floor<f32>(turns)), 1);
}

/** A Gaussian of the eye's sensitivity in Fourier space: height, centre and variance, at a phase. */
// @ts-ignore: decorator
@inline function bump(height: f32, centre: f32, variance: f32, phase: f32, shift: f32): f32 {
  return height * cosine(centre * phase + shift) * expNegative(-phase * phase * variance);
}

/** Linear Rec.709 sensitivity to an optical path difference (nm) and a phase shift for each channel. */
function sensitivity(opd: f32, shift: v128): v128 {
  const phase = <f32>2.0 * PI * opd * <f32>1e-9;
  // Heights are val * sqrt(2 pi var) / 1.0685e-7 of the paper's fit.
  const cieX =
    bump(<f32>0.84658, <f32>1.6810e6, <f32>4.3278e9, phase, x(shift)) +
    bump(<f32>0.15387, <f32>2.2399e6, <f32>4.5282e9, phase, x(shift));
  const cieY = bump(<f32>1.00022, <f32>1.7953e6, <f32>9.3046e9, phase, y(shift));
  const cieZ = bump(<f32>1.00112, <f32>2.2084e6, <f32>6.6121e9, phase, z(shift));
  return vec(
    <f32>3.2404542 * cieX - <f32>1.5371385 * cieY - <f32>0.4985314 * cieZ,
    <f32>-0.969266 * cieX + <f32>1.8760108 * cieY + <f32>0.041556 * cieZ,
    <f32>0.0556434 * cieX - <f32>0.2040259 * cieY + <f32>1.0572252 * cieZ,
  );
}

/**
 * F0 of the Schlick curve that goes through the film's reflectance at `cosine1`. `baseF0` is the reflectance at normal
 * incidence of what the film lies on, `thickness` in nanometres.
 */
export function filmReflectance(cosine1: f32, filmIor: f32, thickness: f32, baseF0: v128): v128 {
  const one = f32x4.splat(<f32>1.0);
  // A film of no thickness is none: its index fades to the outside's (as Khronos' sample renderer has it).
  const fade = min<f32>(max<f32>(thickness / <f32>0.03, <f32>0.0), <f32>1.0);
  const film = <f32>1.0 + (filmIor - <f32>1.0) * fade * fade * (<f32>3.0 - <f32>2.0 * fade);
  const curve = schlickWeight(cosine1);
  const cos2Squared = <f32>1.0 - (<f32>1.0 - cosine1 * cosine1) / (film * film);
  if (!(cos2Squared > <f32>0.0)) return one;
  const cosine2 = sqrt<f32>(cos2Squared);

  const first = stepReflectance(film, <f32>1.0);
  const r12 = first + (<f32>1.0 - first) * curve;
  const t121 = <f32>1.0 - r12;

  const root = f32x4.sqrt(f32x4.min(f32x4.add(baseF0, f32x4.splat(<f32>0.0001)), f32x4.splat(<f32>0.9999)));
  const baseIor = f32x4.div(add(one, root), sub(one, root));
  const ratio = f32x4.div(sub(baseIor, f32x4.splat(film)), add(baseIor, f32x4.splat(film)));
  const second = mul(ratio, ratio);
  const r23 = addScaled(second, sub(one, second), schlickWeight(cosine2));
  const phase21: f32 = film < <f32>1.0 ? <f32>0.0 : PI;
  const shift = vec(
    phase21 + (x(baseIor) < film ? PI : <f32>0.0),
    phase21 + (y(baseIor) < film ? PI : <f32>0.0),
    phase21 + (z(baseIor) < film ? PI : <f32>0.0),
  );

  const opd = <f32>2.0 * film * thickness * cosine2;
  const r123 = f32x4.min(f32x4.max(scale(r23, r12), f32x4.splat(<f32>1e-5)), f32x4.splat(<f32>0.9999));
  const amplitude = f32x4.sqrt(r123);
  const rs = f32x4.div(scale(r23, t121 * t121), sub(one, r123));
  let sum = add(f32x4.splat(r12), rs);
  let order = sub(rs, f32x4.splat(t121));
  order = mul(order, amplitude);
  sum = add(sum, mul(order, scale(sensitivity(opd, shift), <f32>2.0)));
  order = mul(order, amplitude);
  sum = add(sum, mul(order, scale(sensitivity(<f32>2.0 * opd, scale(shift, <f32>2.0)), <f32>2.0)));

  const held = min<f32>(curve, <f32>0.999);
  const f0 = scale(sub(sum, f32x4.splat(held)), <f32>1.0 / (<f32>1.0 - held));
  return f32x4.min(f32x4.max(f0, f32x4.splat(<f32>0.0)), one);
}
