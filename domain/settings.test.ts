import { describe, expect, it } from 'vitest';
import type { SceneInspection } from './scene.ts';
import { checkRequestedSettings, parseResolution, resolveSettings } from './settings.ts';

const scene: SceneInspection = {
  formatVersion: 1,
  engine: 'pathtracer',
  generator: null,
  cameras: [
    { name: 'main', yfov: 0.6, aspectRatio: null, animated: true },
    { name: 'side', yfov: 0.6, aspectRatio: null, animated: false },
  ],
  animations: ['orbit'],
  durationSeconds: 47 / 24,
  fps: null,
  start: null,
  triangles: 1,
  instancedTriangles: 1,
  meshes: 1,
  materials: 1,
  nodes: 2,
  skins: 0,
  lights: 0,
  emissiveMeshes: 0,
  hasEnvironment: true,
  textures: [],
  textureBytes: 0,
  bounds: [0, 0, 0, 1, 1, 1],
  files: [],
  warnings: [],
};

const refusal = (code: string) => expect.objectContaining({ code });

describe('resolveSettings', () => {
  it('takes frames, camera, fps and start from the scene', () => {
    const { settings, frames } = resolveSettings({}, scene);
    expect(frames).toHaveLength(48);
    expect(frames[0]).toBe(1);
    expect(settings).toMatchObject({ camera: 'main', fps: 24, start: 1 });
  });

  it('follows the file where it states fps and start', () => {
    const { settings, frames } = resolveSettings({}, { ...scene, fps: 48, start: 1001 });
    expect(settings).toMatchObject({ fps: 48, start: 1001 });
    expect(frames[0]).toBe(1001);
    expect(frames.at(-1)).toBe(1095);
  });

  it('refuses an unknown camera by name and lists the others', () => {
    expect(() => resolveSettings({ camera: 'top' }, scene)).toThrow('"main", "side"');
    expect(() => resolveSettings({ camera: 'top' }, { ...scene, cameras: [] })).toThrow(refusal('CameraUnknown'));
  });

  it('leaves the camera open when the scene has none', () => {
    expect(resolveSettings({}, { ...scene, cameras: [] }).settings.camera).toBeNull();
  });
});

describe('checkRequestedSettings', () => {
  it.each([
    [{ width: 0 }, 'ResolutionInvalid'],
    [{ width: 100_000 }, 'ResolutionInvalid'],
    [{ width: 16_384, height: 16_384 }, 'ResolutionInvalid'],
    [{ width: 10.5 }, 'ResolutionInvalid'],
    [{ samples: 0 }, 'SettingInvalid'],
    [{ samples: 1.5 }, 'SettingInvalid'],
    [{ fps: 0 }, 'SettingInvalid'],
    [{ fps: Number.NaN }, 'SettingInvalid'],
    [{ exposure: Number.NaN }, 'SettingInvalid'],
    [{ maxDepth: 1000 }, 'SettingInvalid'],
    [{ frames: '9-1' }, 'FrameRangeInvalid'],
  ])('refuses %j', (request, code) => {
    expect(() => checkRequestedSettings(request)).toThrow(refusal(code));
  });
});

describe('parseResolution', () => {
  it('reads both crosses', () => {
    expect(parseResolution('1920x1080')).toEqual({ width: 1920, height: 1080 });
    expect(parseResolution('480×270')).toEqual({ width: 480, height: 270 });
  });

  it.each(['', '1920', '0x100', 'axb', '-1x5', '99999x1'])('refuses "%s"', (text) => {
    expect(() => parseResolution(text)).toThrow(refusal('ResolutionInvalid'));
  });
});
