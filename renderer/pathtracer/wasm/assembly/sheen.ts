// Sheen of cloth (KHR_materials_sheen): the Charlie distribution with its fitted shadowing (Conty Estevez and Kulla 2017,
// "Production Friendly Microfacet Sheen BRDF"), laid over what is below by albedo scaling.
import { SCENE_SHEEN_TABLE, SHEEN_SIZE } from './layout';
import { exponential, INV_PI, power, sinCosTurns } from './math';
import { add, maxComponent, normalize, scale, vec, x, y, z } from './vec';

/** Smoother fibres would need finer tables than the model is worth (and reflect more light than they get). */
const SMOOTHEST_SHEEN: f32 = <f32>0.1;

let table: usize = 0;
let color: v128 = i32x4(0, 0, 0, 0);
let outgoing: v128 = i32x4(0, 0, 0, 0);
let exponent: f32 = 1;
let peak: f32 = 0;
let outgoingLambda: f32 = 0;
// Coefficients of Lambda for the roughness.
let fitA: f32 = 0;
let fitB: f32 = 0;
let fitC: f32 = 0;
let fitD: f32 = 0;
let fitE: f32 = 0;

export function setSheenTable(at: usize): void {
  table = at;
}

export function setSheenScene(scene: usize): void {
  table = load<u32>(scene, SCENE_SHEEN_TABLE);
}

// @ts-ignore: decorator
@inline function fit(rough: f32, smooth: f32, share: f32): f32 {
  return rough + (smooth - rough) * share;
}

// @ts-ignore: decorator
@inline function curve(cosine: f32): f32 {
  return fitA / (<f32>1.0 + fitB * power(cosine, fitC)) + fitD * cosine + fitE;
}

function lambda(cosine: f32): f32 {
  return exponential(
    cosine < <f32>0.5 ? curve(cosine) : <f32>2.0 * curve(<f32>0.5) - curve(max<f32>(<f32>1.0 - cosine, <f32>0.0)),
  );
}

/** White sheen's albedo at (roughness, cosine), bilinear. */
function sheenAlbedo(roughness: f32, cosine: f32): f32 {
  const r = min<f32>(max<f32>(roughness, <f32>0.0), <f32>1.0) * <f32>(SHEEN_SIZE - 1);
  const c = sqrt<f32>(min<f32>(max<f32>(cosine, <f32>0.0), <f32>1.0)) * <f32>(SHEEN_SIZE - 1);
  const r0 = min<i32>(<i32>r, SHEEN_SIZE - 2);
  const c0 = min<i32>(<i32>c, SHEEN_SIZE - 2);
  const at = table + <usize>((r0 * SHEEN_SIZE + c0) * 4);
  const fc = c - <f32>c0;
  const a = load<f32>(at) + (load<f32>(at, 4) - load<f32>(at)) * fc;
  const b = load<f32>(at, SHEEN_SIZE * 4) + (load<f32>(at, SHEEN_SIZE * 4 + 4) - load<f32>(at, SHEEN_SIZE * 4)) * fc;
  return a + (b - a) * (r - <f32>r0);
}

/** Prepares for local direction `o`; returns the share of light that the layer keeps from what is below (the brightest channel's albedo). */
export function prepareSheen(o: v128, sheenColor: v128, roughness: f32): f32 {
  const albedo = sheenAlbedo(roughness, z(o));
  // Smooth fibres at grazing angles would reflect more than they get: the model's shadowing is a fit.
  color = albedo > <f32>1.0 ? scale(sheenColor, <f32>1.0 / albedo) : sheenColor;
  outgoing = o;
  const r = max<f32>(roughness, SMOOTHEST_SHEEN);
  const alpha = r * r;
  exponent = <f32>0.5 / alpha;
  peak = (<f32>2.0 + <f32>1.0 / alpha) * <f32>0.5 * INV_PI;
  const smooth = (<f32>1.0 - alpha) * (<f32>1.0 - alpha);
  fitA = fit(<f32>21.5473, <f32>25.3245, smooth);
  fitB = fit(<f32>3.82987, <f32>3.32435, smooth);
  fitC = fit(<f32>0.19823, <f32>0.16801, smooth);
  fitD = fit(<f32>-1.9776, <f32>-1.27393, smooth);
  fitE = fit(<f32>-4.32054, <f32>-4.85967, smooth);
  outgoingLambda = lambda(z(o));
  return maxComponent(color) * albedo;
}

/** f cos for local `i` above the surface. */
export function evaluateSheen(i: v128): v128 {
  const h = normalize(add(i, outgoing));
  const d = peak * power(min<f32>(x(h) * x(h) + y(h) * y(h), <f32>1.0), exponent);
  return scale(color, d / ((<f32>1.0 + outgoingLambda + lambda(z(i))) * <f32>4.0 * max<f32>(z(outgoing), <f32>1e-4)));
}

/** Any direction above the surface, all alike: density 1 / (2 pi). The lobe is too flat for more to pay. */
export function sampleSheen(u0: f32, u1: f32): v128 {
  const sc = sinCosTurns(u0);
  const radius = sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - u1 * u1));
  return vec(radius * f32x4.extract_lane(sc, 1), radius * f32x4.extract_lane(sc, 0), u1);
}
