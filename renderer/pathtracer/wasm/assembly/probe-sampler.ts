// Draws random numbers for many pixels and samples, for tests: what goes in and out is in PROBE_NUMBERS_… records (layout-probe.ts).
import { PROBE_NUMBERS_FOUR, PROBE_NUMBERS_STRIDE, PROBE_NUMBERS_UNIFORM } from './layout-probe';
import { keyedUniform, sample4, startPixel, startSample } from './sampler';

/** Answers `count` records at `at`. */
export function probeNumbers(at: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const record = at + <usize>i * PROBE_NUMBERS_STRIDE;
    startPixel(load<u32>(record), load<u32>(record, 4), load<u32>(record, 8), load<u32>(record, 12));
    startSample(load<u32>(record, 16));
    v128.store(record, sample4(load<u32>(record, 20)), PROBE_NUMBERS_FOUR);
    store<f32>(record, keyedUniform(load<u32>(record, 20), load<u32>(record, 24)), PROBE_NUMBERS_UNIFORM);
  }
}
