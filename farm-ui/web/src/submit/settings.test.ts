import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, fieldOf, firstMistake, toRequest } from './settings.ts';

const settings = { ...DEFAULT_SETTINGS, name: ' shot ', main: 'a.glb' };

describe('toRequest', () => {
  it('leaves out what was left empty and keeps zero', () => {
    expect(toRequest({ ...settings, exposure: '0', frames: ' 1-24 ' })).toEqual({
      name: 'shot',
      main: 'a.glb',
      frames: '1-24',
      technique: 'pathtrace',
      denoise: true,
      width: 960,
      height: 540,
      samples: 64,
      exposure: 0,
      priority: 3,
    });
  });
});

describe('advanced settings', () => {
  it('land at their place in the request', () => {
    const request = toRequest({
      ...settings,
      crop: '0, 8,64,36',
      'adaptive.threshold': '0.02',
      'filter.kind': 'box',
      'lens.fStop': '2.8',
      energyCompensation: false,
      'output.layers': ['emission', 'depth'],
      'output.floatLayers': 'beauty, emission',
    });
    expect(request).toMatchObject({
      crop: { x0: 0, y0: 8, x1: 64, y1: 36 },
      adaptive: { threshold: 0.02 },
      filter: { kind: 'box' },
      lens: { fStop: 2.8 },
      energyCompensation: false,
      output: { layers: ['emission', 'depth'], floatLayers: ['beauty', 'emission'] },
    });
  });

  it('of a final stay out of a draft', () => {
    const draft = { ...settings, technique: 'raster', 'adaptive.threshold': '0.02' } as const;
    expect(toRequest(draft)).not.toHaveProperty('adaptive');
  });
});

describe('firstMistake', () => {
  it('points at the field that is not a number', () => {
    expect(firstMistake({ ...settings, samples: '6f' })).toEqual({
      field: 'samples',
      message: '"6f" is not a number.',
    });
    expect(firstMistake({ ...settings, crop: '1,2,3' })?.field).toBe('crop');
    expect(firstMistake(settings)).toBeNull();
  });
});

describe('fieldOf', () => {
  it.each([
    [{ code: 'SettingInvalid', place: { setting: 'samples' } }, 'samples'],
    [{ code: 'RequestInvalid', place: { field: '/body/fps' } }, 'fps'],
    [{ code: 'RequestInvalid', place: { field: 'files.0.path' } }, 'files'],
    [{ code: 'CameraUnknown', place: { name: 'Hero 2' } }, 'camera'],
    [{ code: 'SettingInvalid', place: { seed: -1 } }, 'seed'],
    [{ code: 'SceneInvalid', place: { file: 'a.glb' } }, 'files'],
    [{ code: 'SettingInvalid', place: { setting: 'filter.radius' } }, 'filter.radius'],
    [{ code: 'RequestInvalid', place: { field: 'crop.x0' } }, 'crop'],
    [{ code: 'RequestInvalid', place: { field: 'name' } }, 'name'],
    [{ code: 'Internal', place: {} }, null],
  ])('%j is about %s', (problem, field) => expect(fieldOf(problem)).toBe(field));
});
