// The rays of a packet (traverse-packet.ts): as they were given, and what each has hit so far.
import { setRay } from './camera';
import { WORKSPACE_PACKET, WORKSPACE_SCRATCH } from './layout';
import { setSampleKey } from './sampler';
import { hitInstance, hitT, hitTriangle, hitU, hitV, setHit } from './traverse-mesh';
import { workspace } from './traverse';

// One ray as it was given: origin, direction (fourth lane: depth scale); then what it hit.
const RAY_STRIDE: usize = 64;
export const RAY_DIRECTION: usize = 16;
export const RAY_T: usize = 32;
export const RAY_U: usize = 36;
export const RAY_V: usize = 40;
export const RAY_TRIANGLE: usize = 44;
export const RAY_INSTANCE: usize = 48;
export const RAY_KEY: usize = 52; // its pixel's (sampler.ts)
export const RAY_SAMPLE: usize = 56;

export let packet: usize = 0;
export let scratch: usize = 0;
export let count: i32 = 0;
export let groups: usize = 0; // bytes of a column that are used: 16 for each four rays

// @ts-ignore: decorator
@inline export function rayAt(index: u32): usize {
  return packet + <usize>index * RAY_STRIDE;
}

/** Takes the memory of `setTraversal`, which comes first. */
export function setPackets(): void {
  packet = workspace + WORKSPACE_PACKET;
  scratch = workspace + WORKSPACE_SCRATCH + 64;
}

/** Makes a ray, whose origin and direction were set, ready to be cast: the one of a sample of the pixel with that key. */
// @ts-ignore: decorator
@inline export function beginRay(ray: usize, key: u32, sample: u32): void {
  store<f32>(ray, Infinity, RAY_T);
  store<u32>(ray, 0, RAY_INSTANCE);
  store<u32>(ray, key, RAY_KEY);
  store<u32>(ray, sample, RAY_SAMPLE);
}

/** Makes the sample of a ray's pixel the one that chance is asked for on the way. */
// @ts-ignore: decorator
@inline export function recallKey(ray: usize): void {
  setSampleKey(load<u32>(ray, RAY_KEY), load<u32>(ray, RAY_SAMPLE));
}

/** Makes ray `index` the one that the camera is at, and its pixel the sampler's; before numbers are drawn comes `startSample`. */
export function recallRay(index: i32): void {
  const ray = rayAt(index);
  recallKey(ray);
  setRay(v128.load(ray), v128.load(ray, RAY_DIRECTION), load<f32>(ray, RAY_DIRECTION + 12));
}

/** Makes the hit of ray `index` the one that `traverse.ts` tells of; false when there is none. */
export function recallHit(index: i32): bool {
  const ray = rayAt(index);
  const instance = load<u32>(ray, RAY_INSTANCE);
  setHit(instance, load<u32>(ray, RAY_TRIANGLE), load<f32>(ray, RAY_T), load<f32>(ray, RAY_U), load<f32>(ray, RAY_V));
  return instance != 0;
}

/** Says that the first `rays` rays are to be cast. */
export function setRayCount(rays: i32): void {
  count = rays;
  groups = <usize>((rays + 3) >> 2) << 4;
}

/** Keeps the hit that `traverse-mesh.ts` tells of. */
export function keepFound(ray: usize): void {
  keepHit(ray, hitInstance, hitTriangle, hitT, hitU, hitV);
}

// @ts-ignore: decorator
@inline export function keepHit(ray: usize, instance: usize, lane: usize, t: f32, u: f32, v: f32): void {
  store<f32>(ray, t, RAY_T);
  store<f32>(ray, u, RAY_U);
  store<f32>(ray, v, RAY_V);
  store<u32>(ray, <u32>lane, RAY_TRIANGLE);
  store<u32>(ray, <u32>instance, RAY_INSTANCE);
}
