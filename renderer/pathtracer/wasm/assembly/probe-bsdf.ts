// Asks the scattering functions for many inputs at once, for tests: what goes in and out is in PROBE_… records (layout-probe.ts). The
// GPU tier answers the same records with the same functions in WGSL.
import {
  bsdfIsDelta,
  evaluateBsdf,
  evaluatedDensity,
  evaluatedDiffuse,
  evaluatedSpecular,
  evaluatedTransmission,
  prepareBsdf,
  sampleBsdf,
  sampledDelta,
  sampledDensity,
  sampledDiffuse,
  sampledDirection,
  sampledEtaScale,
  sampledKind,
  sampledSpecular,
  sampledThrough,
  sampledTransmission,
  setEnergyCompensation,
} from './bsdf';
import { setEnergyTables } from './energy';
import {
  PROBE_CHOICE,
  PROBE_COAT_NORMAL,
  PROBE_EVALUATED_DENSITY,
  PROBE_EVALUATED_DIFFUSE,
  PROBE_EVALUATED_SPECULAR,
  PROBE_EVALUATED_TRANSMISSION,
  PROBE_FLAGS,
  PROBE_INCOMING,
  PROBE_IS_DELTA,
  PROBE_IS_SAMPLED,
  PROBE_MATERIAL,
  PROBE_OUTGOING,
  PROBE_PREPARE_CHOICE,
  PROBE_SAMPLED_DENSITY,
  PROBE_SAMPLED_DIFFUSE,
  PROBE_SAMPLED_DIRECTION,
  PROBE_SAMPLED_ETA_SCALE,
  PROBE_SAMPLED_FLAGS,
  PROBE_SAMPLED_KIND,
  PROBE_SAMPLED_SPECULAR,
  PROBE_SAMPLED_TRANSMISSION,
  PROBE_STRIDE,
  PROBE_U0,
  PROBE_U1,
} from './layout-probe';
import { resetMedium } from './medium';
import { setSheenScene } from './sheen';
import { describeBare } from './surface';

/** Answers `count` records at `records`. `scene` holds the tables, `mesh` is a mesh record of zeros. */
export function probeBsdf(scene: usize, mesh: usize, records: usize, count: i32, compensation: i32): void {
  setEnergyTables(scene);
  setSheenScene(scene);
  setEnergyCompensation(compensation != 0);
  for (let i = 0; i < count; i++) probe(mesh, records + <usize>(i * PROBE_STRIDE));
  setEnergyCompensation(true);
}

function probe(mesh: usize, at: usize): void {
  resetMedium();
  describeBare(load<u32>(at, PROBE_MATERIAL), mesh, (load<i32>(at, PROBE_FLAGS) & 1) != 0, v128.load(at, PROBE_COAT_NORMAL));
  prepareBsdf(v128.load(at, PROBE_OUTGOING), load<f32>(at, PROBE_PREPARE_CHOICE));
  store<i32>(at, bsdfIsDelta ? 1 : 0, PROBE_IS_DELTA);
  evaluateBsdf(v128.load(at, PROBE_INCOMING));
  v128.store(at, evaluatedDiffuse, PROBE_EVALUATED_DIFFUSE);
  v128.store(at, evaluatedSpecular, PROBE_EVALUATED_SPECULAR);
  v128.store(at, evaluatedTransmission, PROBE_EVALUATED_TRANSMISSION);
  store<f32>(at, evaluatedDensity, PROBE_EVALUATED_DENSITY);
  const found = sampleBsdf(load<f32>(at, PROBE_CHOICE), load<f32>(at, PROBE_U0), load<f32>(at, PROBE_U1));
  store<i32>(at, found ? 1 : 0, PROBE_IS_SAMPLED);
  v128.store(at, sampledDirection, PROBE_SAMPLED_DIRECTION);
  v128.store(at, sampledDiffuse, PROBE_SAMPLED_DIFFUSE);
  v128.store(at, sampledSpecular, PROBE_SAMPLED_SPECULAR);
  v128.store(at, sampledTransmission, PROBE_SAMPLED_TRANSMISSION);
  store<f32>(at, sampledDensity, PROBE_SAMPLED_DENSITY);
  store<f32>(at, sampledEtaScale, PROBE_SAMPLED_ETA_SCALE);
  store<i32>(at, (sampledDelta ? 1 : 0) | (sampledThrough ? 2 : 0), PROBE_SAMPLED_FLAGS);
  store<i32>(at, sampledKind, PROBE_SAMPLED_KIND);
}
