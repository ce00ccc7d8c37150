/** Writes what a request asks for into the job block that all threads read. */
import { FarmError } from '../../../domain/errors.ts';
import type { PixelRect } from '../../../domain/scene.ts';
import type { TraceRequest } from '../tracer.ts';
import * as layout from './assembly/layout.ts';

/** Fills the block. `rect` is what is traced, `filterTable` the address of the pixel filter's table. */
export function writeJob(view: DataView, request: TraceRequest, rect: PixelRect, filterTable: number): void {
  const { width, height, sampleStart, sampleCount, seed, frame, options } = request;
  const words: [number, number][] = [
    [layout.JOB_WIDTH, width],
    [layout.JOB_HEIGHT, height],
    [layout.JOB_SAMPLE_START, sampleStart],
    [layout.JOB_SAMPLE_COUNT, sampleCount],
    [layout.JOB_MAX_DEPTH, options.maxDepth],
    [layout.JOB_DIFFUSE_DEPTH, options.diffuseDepth],
    [layout.JOB_SPECULAR_DEPTH, options.specularDepth],
    [layout.JOB_TRANSMISSION_DEPTH, options.transmissionDepth],
    [layout.JOB_SEED, seed],
    [layout.JOB_FRAME, frame],
    [layout.JOB_X0, rect.x0],
    [layout.JOB_Y0, rect.y0],
    [layout.JOB_X1, rect.x1],
    [layout.JOB_Y1, rect.y1],
    [layout.JOB_ENERGY_COMPENSATION, options.energyCompensation ? 1 : 0],
    [layout.JOB_FILTER_TABLE, filterTable],
    [layout.JOB_ADAPTIVE_MINIMUM, options.adaptive?.minSamples ?? 0],
  ];
  for (const [offset, value] of words) view.setUint32(offset, value >>> 0, true);
  view.setFloat32(layout.JOB_CLAMP_DIRECT, options.clampDirect, true);
  view.setFloat32(layout.JOB_CLAMP_INDIRECT, options.clampIndirect, true);
  view.setFloat32(layout.JOB_ADAPTIVE_GAIN, 2 ** options.exposure, true);
  view.setFloat32(layout.JOB_ADAPTIVE_THRESHOLD, options.adaptive?.threshold ?? 0, true);
}

/** Throws `SettingInvalid` for a request that cannot be traced. */
export function validateRequest({ width, height, sampleStart, sampleCount, options, rect }: TraceRequest): void {
  const check = (setting: string, holds: boolean): void => {
    if (!holds) throw new FarmError('SettingInvalid', `The trace request has an impossible ${setting}.`, { setting });
  };
  const whole = (...values: number[]): boolean => values.every((value) => Number.isInteger(value));
  check('resolution', whole(width, height) && width >= 1 && height >= 1 && width <= 16_384 && height <= 16_384);
  check('sample range', whole(sampleStart, sampleCount) && sampleStart >= 0 && sampleCount >= 1);
  check('sample range', sampleStart + sampleCount <= 2 ** 24);
  for (const depth of [options.maxDepth, options.diffuseDepth, options.specularDepth, options.transmissionDepth]) {
    check('depth', whole(depth) && depth >= 0 && depth <= 1024);
  }
  check('clamp', options.clampDirect >= 0 && options.clampIndirect >= 0);
  check('filter', options.filter.radius > 0 && options.filter.radius <= 16);
  check(
    'rectangle',
    whole(rect.x0, rect.y0, rect.x1, rect.y1) && rect.x0 >= 0 && rect.y0 >= 0 && rect.x0 < rect.x1 && rect.y0 < rect.y1,
  );
  check('rectangle', rect.x1 <= width && rect.y1 <= height);
  if (!options.adaptive) return;
  check('adaptive threshold', options.adaptive.threshold > 0);
  check('adaptive minimum', whole(options.adaptive.minSamples) && options.adaptive.minSamples >= 1);
  if (sampleStart !== 0) refuseAdaptiveRange();
}

/** Adaptive sampling decides how many samples there are; a range of them has no meaning. Throws `SettingInvalid`. */
export function refuseAdaptiveRange(): never {
  throw new FarmError(
    'SettingInvalid',
    'Adaptive sampling and sample ranges exclude each other: how many samples a pixel needs is not known beforehand.',
    { setting: 'adaptive' },
  );
}
