// Asks the light tree for picks and for probabilities, for tests: what goes in and out is in PROBE_LIGHT_… records (layout-probe.ts).
import {
  PROBE_LIGHT_CHANCE,
  PROBE_LIGHT_CHOICE,
  PROBE_LIGHT_PICKED,
  PROBE_LIGHT_STRIDE,
  PROBE_LIGHT_TRAIL,
  PROBE_LIGHT_TRAIL_CHANCE,
} from './layout-probe';
import { chanceOfLight, pickLight, pickedChance, pickedLight } from './light-tree';

/** Answers `count` records at `at` from the tree at `tree`. */
export function probeLights(tree: usize, at: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const record = at + <usize>i * PROBE_LIGHT_STRIDE;
    const from = v128.load(record);
    const normal = v128.load(record, 16);
    const found = pickLight(tree, load<f32>(record, PROBE_LIGHT_CHOICE), from, normal);
    store<i32>(record, found ? pickedLight : -1, PROBE_LIGHT_PICKED);
    store<f32>(record, found ? pickedChance : <f32>0.0, PROBE_LIGHT_CHANCE);
    store<f32>(record, chanceOfLight(tree, load<u32>(record, PROBE_LIGHT_TRAIL), from, normal), PROBE_LIGHT_TRAIL_CHANCE);
  }
}
