// Casts given rays and tells what they hit: how tests compare traversal with testing every triangle.
import { INSTANCE_ID, PACK_IDS, SCENE_INSTANCES, SCENE_NODES } from './layout';
import { PROBE_HIT_STRIDE, PROBE_RAY_STRIDE } from './layout-probe';
import { beginRay, rayAt, RAY_DIRECTION, recallHit, setPackets } from './packet-rays';
import { hitInstance, hitT, hitTriangle, hitU, hitV, intersect, occluded, setRayTime, setTraversal } from './traverse';
import { castPacket } from './traverse-packet';

/**
 * Rays are [origin.xyz, time][direction.xyz, tMax]; hits are t, u, v, triangle (-1 without a hit), instance, 1 when `occluded`
 * says so.
 */
export function probeRays(scene: usize, workspace: usize, rays: usize, hits: usize, count: i32): void {
  setTraversal(workspace, load<u32>(scene, SCENE_NODES), load<u32>(scene, SCENE_INSTANCES));
  for (let i = 0; i < count; i++) {
    const ray = rays + <usize>i * PROBE_RAY_STRIDE;
    const hit = hits + <usize>i * PROBE_HIT_STRIDE;
    const origin = v128.load(ray);
    const direction = v128.load(ray, 16);
    const tMax = load<f32>(ray, 28);
    setRayTime(load<f32>(ray, 12));
    store<i32>(hit, occluded(origin, direction, tMax) ? 1 : 0, 20);
    writeHit(hit, intersect(origin, direction, tMax));
  }
}

function writeHit(at: usize, found: bool): void {
  store<f32>(at, hitT);
  store<f32>(at, hitU, 4);
  store<f32>(at, hitV, 8);
  store<i32>(at, found ? load<i32>(hitTriangle, PACK_IDS) : -1, 12);
  store<i32>(at, found ? load<i32>(hitInstance, INSTANCE_ID) : -1, 16);
}

/** The same for at most 64 rays that are cast together at time 0, each without a limit; `occluded` is not asked. */
export function probePacket(scene: usize, workspace: usize, rays: usize, hits: usize, count: i32): void {
  setTraversal(workspace, load<u32>(scene, SCENE_NODES), load<u32>(scene, SCENE_INSTANCES));
  setPackets();
  for (let i = 0; i < count; i++) {
    const ray = rays + <usize>i * PROBE_RAY_STRIDE;
    const to = rayAt(i);
    v128.store(to, v128.load(ray));
    v128.store(to, v128.load(ray, 16), RAY_DIRECTION);
    beginRay(to, 0, 0);
  }
  castPacket(count);
  for (let i = 0; i < count; i++) {
    const hit = hits + <usize>i * PROBE_HIT_STRIDE;
    writeHit(hit, recallHit(i));
    store<i32>(hit, 0, 20);
  }
}
