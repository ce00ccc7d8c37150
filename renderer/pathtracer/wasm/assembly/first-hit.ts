// What a sample's first hit was, for the layers that show surfaces.
import { textureCoordinates } from './attributes';
import { depthScale, near, projectPoint } from './camera';
import { placeInstance, placeNext, pointToWorld, rayTime, setInstanceTime } from './instance';
import { INSTANCE_MESH, JOB_LAYERS, LAYER_MOTION, LAYER_UV } from './layout';
import { material, normal, position } from './surface';
import { hitInstance, hitT, hitTriangle, hitU, hitV } from './traverse';
import { pointInTriangle, readTriangle } from './triangle';
import { sub } from './vec';

export let firstNormal: v128 = i32x4(0, 0, 0, 0);
export let firstPosition: v128 = i32x4(0, 0, 0, 0);
/** First texture coordinates, lanes 0 and 1. */
export let firstUv: v128 = i32x4(0, 0, 0, 0);
/** Pixels to the right and down by which it moves until the next frame, lanes 0 and 1. */
export let firstMotion: v128 = i32x4(0, 0, 0, 0);
/** Instance and material records, 0 for none. */
export let firstInstance: usize = 0;
export let firstMaterial: usize = 0;
/** Along the viewing axis; Infinity where nothing was hit. */
export let depth: f32 = Infinity;

let wantsUv: bool = false;
let wantsMotion: bool = false;

export function setFirstHits(job: usize): void {
  wantsUv = (load<u32>(job, JOB_LAYERS) & (1 << LAYER_UV)) != 0;
  wantsMotion = (load<u32>(job, JOB_LAYERS) & (1 << LAYER_MOTION)) != 0;
}

/** For a sample that starts. */
// @ts-ignore: decorator
@inline export function forgetFirstHit(): void {
  firstNormal = f32x4.splat(<f32>0.0);
  firstInstance = 0;
  firstMaterial = 0;
  depth = Infinity;
}

/** For a path that went with others: `instance` is 0 where it hit nothing. */
export function setFirstHit(instance: usize, firstMaterialAt: usize, at: v128, shading: v128, distance: f32): void {
  firstInstance = instance;
  firstMaterial = firstMaterialAt;
  firstPosition = at;
  firstNormal = shading;
  depth = distance;
}

/** Keeps the hit that `traverse.ts` and `surface.ts` tell of. */
export function keepFirstHit(): void {
  firstInstance = hitInstance;
  firstMaterial = material;
  firstPosition = position;
  firstNormal = normal;
  depth = near + hitT * depthScale;
  if (wantsMotion) firstMotion = motionOf(hitInstance);
  if (wantsUv) firstUv = textureCoordinates(load<u32>(hitInstance, INSTANCE_MESH), hitU, hitV);
}

/** Pixels to the right and down by which the point that was hit moves from the frame to the next. */
function motionOf(instance: usize): v128 {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  const time = rayTime;
  setInstanceTime(<f32>1.0);
  placeNext(instance);
  readTriangle(mesh, hitTriangle);
  const next = projectPoint(pointToWorld(pointInTriangle(hitU, hitV)), <f32>1.0);
  setInstanceTime(<f32>0.0);
  placeNext(instance);
  readTriangle(mesh, hitTriangle);
  const now = projectPoint(pointToWorld(pointInTriangle(hitU, hitV)), <f32>0.0);
  setInstanceTime(time);
  placeInstance(instance);
  readTriangle(mesh, hitTriangle);
  return sub(next, now);
}
