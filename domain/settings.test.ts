import { describe, expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS, type SceneInspection } from './scene.ts';
import {
  checkRequestedSettings,
  completeSettings,
  parseResolution,
  type RequestedSettings,
  resolveSettings,
} from './settings.ts';
import { shotWarnings } from './shotWarnings.ts';
import { TECHNIQUE_LAYERS } from './techniques.ts';

const scene: SceneInspection = {
  formatVersion: 1,
  engine: 'pathtracer',
  generator: null,
  scenes: ['Shot', 'Turntable'],
  defaultScene: 0,
  variants: ['red', 'blue'],
  extensions: [],
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
  sequence: null,
  frameFiles: [],
  sceneCameras: [],
  warnings: [],
};

const refusal = (code: string) => expect.objectContaining({ code });

describe('resolveSettings', () => {
  it('is warned of settings that a quick technique does not follow', () => {
    const quick = resolveSettings({ technique: 'raycast', frames: '1', shutter: 0.5, lens: { fStop: 2 } }, scene);
    expect(
      shotWarnings({ ...scene, warnings: [] }, quick.settings, quick.frames).map(({ message }) => message),
    ).toEqual(['Technique raycast does not follow lens.fStop and shutter.']);
    const asked = { samples: 256, depths: { diffuse: 2 }, exposure: 1, denoise: false };
    const warnings = (technique: 'raster' | 'pathtrace'): string[] => {
      const { settings, frames } = resolveSettings({ technique, frames: '1', ...asked }, scene);
      return shotWarnings({ ...scene, warnings: [] }, settings, frames).map(({ message }) => message);
    };
    expect(warnings('raster')).toEqual(['Technique raster does not follow samples and depths.']);
    expect(warnings('pathtrace')).toEqual([]);
  });

  it('takes of a group of layers what is asked for, or what the technique has', () => {
    const output = { layers: ['albedo', 'emission'], floatLayers: ['all'] };
    expect(completeSettings({ output }).output.floatLayers).toEqual(['beauty', 'emission', 'albedo']);
    const light = { layers: ['albedo', 'emission'], floatLayers: ['light'] };
    expect(completeSettings({ output: light }).output.floatLayers).toEqual(['emission']);
    expect(completeSettings({ technique: 'raster', output: { layers: ['all'] } }).output.layers).toEqual(
      TECHNIQUE_LAYERS.raster,
    );
    expect(() => checkRequestedSettings({ output: { layers: ['albedo'], floatLayers: ['uv'] } })).toThrow(/uv/);
  });

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

describe('scenes and variants', () => {
  it('go by name, and scenes also by number', () => {
    expect(resolveSettings({ scene: 'Turntable', variant: 'blue' }, scene).settings).toMatchObject({
      scene: 'Turntable',
      variant: 'blue',
    });
    expect(resolveSettings({ scene: '1' }, scene).settings.scene).toBe('1');
    expect(resolveSettings({}, scene).settings).toMatchObject({ scene: null, variant: null });
  });

  it('are refused with what the file has', () => {
    expect(() => resolveSettings({ scene: '2' }, scene)).toThrow('"Shot", "Turntable", or 0 to 1 by number');
    expect(() => resolveSettings({ variant: 'green' }, scene)).toThrow('the file has "red", "blue"');
    expect(() => resolveSettings({ variant: 'red' }, { ...scene, variants: [] })).toThrow('the file has none');
  });
});

describe('completeSettings', () => {
  it('gives the defaults to who asks for nothing, and what was stored by an older farm the fields it lacks', () => {
    expect(completeSettings({})).toEqual(DEFAULT_RENDER_SETTINGS);
    const { technique: _, output: __, lens: ___, ...older } = { ...DEFAULT_RENDER_SETTINGS, samples: 9 };
    expect(completeSettings(older)).toEqual({ ...DEFAULT_RENDER_SETTINGS, samples: 9 });
  });

  it('is the same when it is done twice', () => {
    const asked: RequestedSettings = {
      samples: 8,
      adaptive: { threshold: 0.02 },
      filter: { kind: 'box' },
      lens: { fStop: 2.8 },
      output: { layers: ['light', 'cryptomatte'], floatLayers: ['beauty'] },
    };
    const once = completeSettings(asked);
    expect(completeSettings(once)).toEqual(once);
    expect(once).toMatchObject({
      adaptive: { threshold: 0.02, minSamples: 8 },
      filter: { kind: 'box', radius: 0.5 },
      lens: { fStop: 2.8, focusDistance: null, blades: 0 },
    });
  });

  it('keeps layers in the order of the catalogue, each once, with beauty', () => {
    const { layers } = completeSettings({ output: { layers: ['depth', 'emission', 'depth', 'light'] } }).output;
    expect(layers[0]).toBe('beauty');
    expect(layers.at(-1)).toBe('depth');
    expect(new Set(layers).size).toBe(layers.length);
    expect(layers).toContain('specular_indirect');
  });
});

describe('checkRequestedSettings', () => {
  it('says what is wrong, where, and what would be right', () => {
    const problem = (request: object): unknown => {
      try {
        checkRequestedSettings(request);
      } catch (error) {
        const { code, message, place } = error as { code: string; message: string; place: object };
        return { code, message, place };
      }
      return null;
    };
    expect(problem({ crop: { x0: 0, y0: 0, x1: 2000, y1: 10 } })).toEqual({
      code: 'SettingInvalid',
      message: 'crop is 0,0,2000,10; it must lie inside the picture, 0,0,960,540.',
      place: { setting: 'crop', value: '0,0,2000,10' },
    });
    expect(problem({ output: { layers: ['beuty'] } })).toMatchObject({
      message: expect.stringContaining('names "beuty", which is no layer; there are beauty, diffuse_direct'),
      place: { setting: 'output.layers', value: 'beuty' },
    });
  });

  it.each<[string, object]>([
    ['crop', { crop: { x0: 5, y0: 0, x1: 5, y1: 10 } }],
    ['crop', { crop: { x0: 0.5, y0: 0, x1: 5, y1: 10 } }],
    ['crop', { width: 10, height: 10, crop: { x0: 0, y0: -1, x1: 5, y1: 10 } }],
    ['technique', { technique: 'radiosity' }],
    ['tier', { tier: 'tpu' }],
    ['adaptive.threshold', { adaptive: { threshold: 0 } }],
    ['adaptive.threshold', { technique: 'raycast', adaptive: { threshold: 0.1 } }],
    ['adaptive.minSamples', { samples: 32, adaptive: { threshold: 0.1, minSamples: 33 } }],
    ['depths.diffuse', { depths: { diffuse: -1 } }],
    ['depths.transmission', { depths: { transmission: 1.5 } }],
    ['clampDirect', { clampDirect: -1 }],
    ['clampIndirect', { clampIndirect: Number.POSITIVE_INFINITY }],
    ['filter.kind', { filter: { kind: 'sinc' } }],
    ['filter.radius', { filter: { radius: 0 } }],
    ['filter.radius', { filter: { radius: 5 } }],
    ['lens.fStop', { lens: { fStop: 0 } }],
    ['lens.focusDistance', { lens: { focusDistance: 3 } }],
    ['lens.blades', { lens: { fStop: 2, blades: 2 } }],
    ['lens.blades', { lens: { blades: 6 } }],
    ['shutter', { shutter: 1.5 }],
    ['view', { view: 'filmic' }],
    ['output.compression', { output: { compression: 'rle' } }],
    ['output.compression', { output: { compression: 'dwaa' } }],
    ['output.colorSpace', { output: { colorSpace: 'p3' } }],
    ['output.picture', { output: { picture: 'gif' } }],
    ['output.floatLayers', { output: { floatLayers: ['uv'] } }],
    ['output.floatLayers', { output: { floatLayers: ['sauce'] } }],
  ])('points at %s in %j', (setting, request) => {
    expect(() => checkRequestedSettings(request)).toThrow(
      expect.objectContaining({ code: 'SettingInvalid', place: expect.objectContaining({ setting }) }),
    );
  });

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
