/** Which of gpu.js' backends runs image stages on this machine. */
import gpujs from 'gpu.js';
import { FarmError } from '../../domain/errors.ts';

export type ImageBackend = 'gpu' | 'webasm' | 'cpu';

/** Where gpu.js runs when nobody says so: WebAssembly, where the machine has it. */
export const defaultBackend = (): 'webasm' | 'cpu' => (gpujs.GPU.isWebAssemblySupported ? 'webasm' : 'cpu');

/**
 * `FARM_IMAGE_BACKEND` of the environment: gpu (WebGPU), webasm or cpu; auto, the default, is webasm, or cpu where there is none.
 * @throws FarmError `SettingInvalid` for anything else
 */
export function imageBackend(): ImageBackend {
  const asked = process.env.FARM_IMAGE_BACKEND || 'auto';
  if (asked === 'auto') return defaultBackend();
  if (asked === 'gpu' || asked === 'webasm' || asked === 'cpu') return asked;
  throw new FarmError('SettingInvalid', `FARM_IMAGE_BACKEND is "${asked}"; it can be auto, gpu, webasm or cpu.`, {
    FARM_IMAGE_BACKEND: asked,
  });
}
