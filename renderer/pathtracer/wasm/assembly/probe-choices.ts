// Picks points of lights and rays of the camera for given numbers, for tests: PROBE_CHOICE_… records (layout-probe.ts).
import { generateRay, rayDirection, rayOrigin, setCamera } from './camera';
import { densityOfEnvironment, setEnvironment } from './environment';
import {
  PROBE_CHOICE_DENSITY,
  PROBE_CHOICE_DIRECTION,
  PROBE_CHOICE_FOUND,
  PROBE_CHOICE_FROM,
  PROBE_CHOICE_NORMAL,
  PROBE_CHOICE_POINT,
  PROBE_CHOICE_STRIDE,
} from './layout-probe';
import { lightDensity, lightDirection, lightPoint, sampleLight, setLights } from './lights';

/** Answers `count` records at `at`; a record's numbers choose the light and the place on it. */
export function probeLightPoints(scene: usize, at: usize, count: i32): void {
  setEnvironment(scene);
  setLights(scene);
  for (let i = 0; i < count; i++) {
    const record = at + <usize>i * PROBE_CHOICE_STRIDE;
    const from = v128.load(record, PROBE_CHOICE_FROM);
    const normal = v128.load(record, PROBE_CHOICE_NORMAL);
    const found = sampleLight(load<f32>(record), load<f32>(record, 4), load<f32>(record, 8), from, normal);
    v128.store(record, lightDirection, PROBE_CHOICE_FOUND);
    store<f32>(record, found ? lightDensity : <f32>0.0, PROBE_CHOICE_FOUND + 12);
    v128.store(record, lightPoint, PROBE_CHOICE_POINT);
    store<f32>(record, densityOfEnvironment(v128.load(record, PROBE_CHOICE_DIRECTION)), PROBE_CHOICE_DENSITY);
  }
}

/** The same for rays at the time when the shutter opens; a record's numbers are those of `generateRay`. */
export function probeCameraRays(scene: usize, job: usize, at: usize, count: i32): void {
  setCamera(scene, job);
  for (let i = 0; i < count; i++) {
    const record = at + <usize>i * PROBE_CHOICE_STRIDE;
    generateRay(load<i32>(record, PROBE_CHOICE_FROM), load<i32>(record, PROBE_CHOICE_FROM + 4), v128.load(record), <f32>0.0);
    v128.store(record, rayDirection, PROBE_CHOICE_FOUND);
    v128.store(record, rayOrigin, PROBE_CHOICE_POINT);
  }
}
