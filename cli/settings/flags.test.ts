import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addSettingFlags, requestOf } from './flags.ts';

/** What the flags of a command line ask for. */
function asked(...args: string[]) {
  const command = addSettingFlags(new Command('render'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return requestOf(command.parse(args, { from: 'user' }).opts());
}

describe('flags of settings', () => {
  it('ask for nothing when there are none', () => expect(asked()).toEqual({}));

  it('land at their place in the request', () => {
    const line =
      '--frames 1-4 --fps 25 --start 1001 --camera Hero --scene 1 --variant red --resolution 640x360 --crop 0,10,64,36 ' +
      '--technique pathtrace --tier cpu --samples 32 --adaptive 0.02 --min-samples 8 --seed 7 --filter box --filter-radius 0.7 ' +
      '--depth 5 --diffuse-depth 3 --specular-depth 4 --transmission-depth 5 --clamp-direct 20 --clamp-indirect 10 ' +
      '--no-energy-compensation --f-stop 2.8 --focus 3 --blades 6 --shutter 0.5 --layers light,depth --float-layers depth ' +
      '--denoised-layers --compression piz --color-space acescg --picture webp --view agx --exposure -1 --no-denoise';
    expect(asked(...line.split(' '))).toEqual({
      ...{ frames: '1-4', fps: 25, start: 1001, camera: 'Hero', scene: '1', variant: 'red', width: 640, height: 360 },
      crop: { x0: 0, y0: 10, x1: 64, y1: 36 },
      ...{ technique: 'pathtrace', tier: 'cpu', samples: 32, adaptive: { threshold: 0.02, minSamples: 8 }, seed: 7 },
      filter: { kind: 'box', radius: 0.7 },
      ...{ maxDepth: 5, depths: { diffuse: 3, specular: 4, transmission: 5 }, clampDirect: 20, clampIndirect: 10 },
      ...{ energyCompensation: false, lens: { fStop: 2.8, focusDistance: 3, blades: 6 }, shutter: 0.5 },
      output: {
        ...{ layers: ['light', 'depth'], floatLayers: ['depth'], denoisedLayers: true },
        ...{ compression: 'piz', colorSpace: 'acescg', picture: 'webp' },
      },
      ...{ view: 'agx', exposure: -1, denoise: false },
    });
  });

  it.each([
    ['--samples six', 'SettingInvalid', '--samples is "six"'],
    ['--samples 0', 'SettingInvalid', 'samples is 0'],
    ['--resolution 640', 'ResolutionInvalid', '640'],
    ['--crop 1,2,3', 'SettingInvalid', 'not a rectangle'],
    ['--min-samples 4', 'SettingInvalid', '--min-samples'],
    ['--frames 9-1', 'FrameRangeInvalid', '9-1'],
    ['--layers beuty', 'SettingInvalid', 'beuty'],
  ])('refuse %s', (line, code, words) => {
    expect(() => asked(...line.split(' '))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    );
  });
});
