// What the host calls. Every function runs on one of the tracer's threads; all of them share one linear memory.
import { traceBlock } from './block';
import { setEnergyCompensation } from './bsdf';
import { chooseCollapse } from './bvh-collapse';
import { buildMeshTree, buildSceneBvh, emitMeshTree } from './bvh-emit';
import { setCamera } from './camera';
import { setEnergyTables } from './energy';
import { buildAnisotropicTable, buildEnergyTable, buildGlassTable, buildSheenTable } from './energy-tables';
import { setEnvironment } from './environment';
import { setFilm } from './film';
import { setIntegrator, startPath } from './integrator';
import {
  BLOCK,
  BUCKET,
  JOB_ADAPTIVE_THRESHOLD,
  JOB_ENERGY_COMPENSATION,
  JOB_FRAME,
  JOB_NEXT_BUCKET,
  JOB_SEED,
  JOB_X0,
  JOB_X1,
  JOB_Y0,
  JOB_Y1,
  SCENE_INSTANCES,
  SCENE_NODES,
  SCENE_SRGB_TABLE,
} from './layout';
import { setLights } from './lights';
import { setPackets } from './packet-rays';
import { probeBsdf } from './probe-bsdf';
import { probeLights } from './probe-lights';
import { probePacket, probeRays } from './probe-traverse';
import { recordSteps } from './record';
import { startPixel } from './sampler';
import { setSheenScene } from './sheen';
import { setSrgbTable } from './texture';
import { rayCount, setTraversal } from './traverse';
import { setWave } from './wave';

export { buildMeshTree, buildSceneBvh, chooseCollapse, emitMeshTree };
export { buildAnisotropicTable, buildEnergyTable, buildGlassTable, buildSheenTable, probeBsdf, probeLights };
export { probePacket, probeRays };
export { probeCameraRays, probeLightPoints } from './probe-choices';
export { probeNumbers } from './probe-sampler';

/**
 * Traces buckets of the job until none is left or the job is aborted; returns the rays this thread cast. Threads take buckets
 * from an atomic counter. Buckets lie on a grid that is fixed to the picture. `scratch` holds FILM_SCRATCH_SIZE bytes.
 */
export function trace(scene: usize, job: usize, workspace: usize, scratch: usize): f64 {
  prepare(scene, job, workspace);
  setFilm(job, load<f32>(job, JOB_ADAPTIVE_THRESHOLD) > <f32>0.0);
  const x0 = load<i32>(job, JOB_X0);
  const y0 = load<i32>(job, JOB_Y0);
  const x1 = load<i32>(job, JOB_X1);
  const y1 = load<i32>(job, JOB_Y1);
  const firstColumn = x0 / BUCKET;
  const firstRow = y0 / BUCKET;
  const columns = (x1 + BUCKET - 1) / BUCKET - firstColumn;
  const rows = (y1 + BUCKET - 1) / BUCKET - firstRow;
  while (true) {
    const bucket = atomic.add<i32>(job, 1, JOB_NEXT_BUCKET);
    if (bucket >= columns * rows) return rayCount;
    const bx = (firstColumn + bucket % columns) * BUCKET;
    const by = (firstRow + bucket / columns) * BUCKET;
    const left = max<i32>(x0, bx);
    const right = min<i32>(x1, bx + BUCKET);
    const bottom = min<i32>(y1, by + BUCKET);
    const top = max<i32>(y0, by);
    for (let y = top; y < bottom; y += BLOCK) {
      for (let x = left; x < right; x += BLOCK) {
        if (!traceBlock(job, x, y, min<i32>(right, x + BLOCK), min<i32>(bottom, y + BLOCK), scratch)) return rayCount;
      }
    }
  }
}

/** Sets the modules up for the scene and the job. */
function prepare(scene: usize, job: usize, workspace: usize): void {
  setTraversal(workspace, load<u32>(scene, SCENE_NODES), load<u32>(scene, SCENE_INSTANCES));
  setPackets();
  setSrgbTable(load<u32>(scene, SCENE_SRGB_TABLE));
  setEnergyTables(scene);
  setSheenScene(scene);
  setEnergyCompensation(load<i32>(job, JOB_ENERGY_COMPENSATION) != 0);
  setEnvironment(scene);
  setLights(scene);
  setCamera(scene, job);
  setIntegrator(scene, job);
  setWave(scene, job);
}

/** Follows one sample's path again and writes each of its steps at `out`, at most `capacity`; returns their number. */
export function recordPath(
  scene: usize,
  job: usize,
  workspace: usize,
  px: i32,
  py: i32,
  sample: u32,
  out: usize,
  capacity: i32,
): i32 {
  prepare(scene, job, workspace);
  startPixel(load<u32>(job, JOB_SEED), load<u32>(job, JOB_FRAME), px, py);
  startPath(px, py, sample);
  return recordSteps(out, capacity);
}
