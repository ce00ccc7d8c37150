// Writes down what a path does, bounce by bounce, for people who hunt a firefly (its twin on a GPU is record.wgsl). It drives
// the very steps that a render takes and only reads what they leave, so the numbers are the render's.
import { foundLight, radiance, sampledLight } from './gathered';
import {
  END_ESCAPED,
  pathBounce,
  pathDelta,
  pathDensity,
  pathDirection,
  pathEnd,
  pathThroughput,
  stepPath,
} from './integrator';
import { sampledKind, sampledThrough } from './bsdf';
import { INSTANCE_ID } from './layout';
import {
  RECORD_BOUNCE,
  RECORD_DELTA,
  RECORD_DENSITY,
  RECORD_DIRECTION,
  RECORD_DISTANCE,
  RECORD_END,
  RECORD_FOUND,
  RECORD_INCOMING,
  RECORD_INSTANCE,
  RECORD_KIND,
  RECORD_LIGHT,
  RECORD_MATERIAL,
  RECORD_NORMAL,
  RECORD_POSITION,
  RECORD_RADIANCE,
  RECORD_SAMPLED,
  RECORD_STRIDE,
  RECORD_THROUGH,
  RECORD_THROUGHPUT,
  RECORD_TRIANGLE,
} from './layout-record';
import { lightIsEnvironment, lightIsPunctual } from './lights';
import { material, normal, position, triangle } from './surface';
import { hitInstance, hitT } from './traverse';

/** Follows the path that was started to its end; writes up to `capacity` records at `out`. Returns how many steps it took. */
export function recordSteps(out: usize, capacity: i32): i32 {
  let steps = 0;
  let goesOn = true;
  while (goesOn) {
    const incoming = pathDirection;
    const bounce = pathBounce;
    goesOn = stepPath();
    if (steps < capacity) writeStep(out + <usize>steps * RECORD_STRIDE, bounce, incoming, goesOn);
    steps++;
  }
  return steps;
}

function writeStep(at: usize, bounce: i32, incoming: v128, goesOn: bool): void {
  const end = goesOn ? 0 : pathEnd;
  v128.store(at, incoming, RECORD_INCOMING);
  v128.store(at, foundLight, RECORD_FOUND);
  v128.store(at, sampledLight, RECORD_SAMPLED);
  v128.store(at, pathThroughput, RECORD_THROUGHPUT);
  v128.store(at, radiance, RECORD_RADIANCE);
  store<i32>(at, bounce, RECORD_BOUNCE);
  store<i32>(at, end, RECORD_END);
  store<i32>(at, -1, RECORD_INSTANCE);
  if (end == END_ESCAPED) return;
  v128.store(at, position, RECORD_POSITION);
  v128.store(at, normal, RECORD_NORMAL);
  store<f32>(at, hitT, RECORD_DISTANCE);
  store<i32>(at, load<i32>(hitInstance, INSTANCE_ID), RECORD_INSTANCE);
  store<u32>(at, <u32>material, RECORD_MATERIAL);
  store<i32>(at, triangle, RECORD_TRIANGLE);
  store<i32>(at, lightIsEnvironment ? 1 : lightIsPunctual ? 2 : 0, RECORD_LIGHT);
  if (!goesOn) return;
  v128.store(at, pathDirection, RECORD_DIRECTION);
  store<f32>(at, pathDensity, RECORD_DENSITY);
  store<i32>(at, sampledKind, RECORD_KIND);
  store<i32>(at, pathDelta ? 1 : 0, RECORD_DELTA);
  store<i32>(at, sampledThrough ? 1 : 0, RECORD_THROUGH);
}
