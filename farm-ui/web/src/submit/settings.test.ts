import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, fieldOf, firstMistake, toRequest } from './settings.ts';

const settings = { ...DEFAULT_SETTINGS, name: ' shot ', main: 'a.glb' };

describe('toRequest', () => {
  it('leaves out what was left empty and keeps zero', () => {
    expect(toRequest({ ...settings, exposure: '0', frames: ' 1-24 ' })).toEqual({
      name: 'shot',
      main: 'a.glb',
      frames: '1-24',
      denoise: true,
      width: 960,
      height: 540,
      samples: 64,
      exposure: 0,
      priority: 3,
    });
  });
});

describe('firstMistake', () => {
  it('points at the field that is not a number', () => {
    expect(firstMistake({ ...settings, samples: '6f' })).toEqual({
      field: 'samples',
      message: '"6f" is not a number.',
    });
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
    [{ code: 'Internal', place: {} }, null],
  ])('%j is about %s', (problem, field) => expect(fieldOf(problem)).toBe(field));
});
