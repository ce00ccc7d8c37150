import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FrameInputs, type FrameMaker, frameInputHashes, frameKey } from './frameKey.ts';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings } from './scene.ts';

const hashOf = (n: number): string => n.toString(16).padStart(64, '0');
const MAKER: FrameMaker = { engine: 'pathtracer', build: 'one', tier: 'cpu', device: '' };

/** A sequence of `count` frames, each with a file of its own beside one that all share. */
function sequence(count: number, settings: Partial<RenderSettings> = {}): FrameInputs {
  const frames = Array.from({ length: count }, (_, index) => index + 1);
  const pathOf = (frame: number): string => `shot.${String(frame).padStart(4, '0')}.glb`;
  return {
    main: pathOf(1),
    files: [
      { path: 'shared.bin', hash: hashOf(999) },
      ...frames.map((frame) => ({ path: pathOf(frame), hash: hashOf(frame) })),
      { path: 'notes.txt', hash: hashOf(7777) },
    ],
    inspection: {
      sequence: { pattern: 'shot.####.glb', frames: `1-${count}` },
      frameFiles: [{ frames: `1-${count}`, files: ['shared.bin'], perFrame: ['shot.{frame:04}.glb'] }],
    },
    settings: { ...DEFAULT_RENDER_SETTINGS, ...settings },
  };
}

const keys = (inputs: FrameInputs, frames: number[], maker = MAKER): Map<number, string> =>
  new Map([...frameInputHashes(inputs, frames)].map(([frame, hash]) => [frame, frameKey(maker, hash)]));
const all = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('key of a frame', () => {
  it('changes for exactly the frames that read a changed file', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(), fc.boolean(), (count, pick, shutter) => {
        const inputs = sequence(count, { shutter: shutter ? 0.5 : 0 });
        const before = keys(inputs, all(count));
        const index = pick % inputs.files.length;
        const { path } = inputs.files[index]!;
        const files = inputs.files.map((file, at) => (at === index ? { ...file, hash: hashOf(123_456) } : file));
        const after = keys({ ...inputs, files }, all(count));
        const changed = all(count).filter((frame) => before.get(frame) !== after.get(frame));
        const own = Number(/shot\.(\d+)/.exec(path)?.[1]);
        // With an open shutter a frame also reads the next one's file, which shows what moves.
        const readers = shutter ? [own - 1, own].filter((frame) => frame > 0) : [own];
        expect(changed).toEqual(path === 'shared.bin' ? all(count) : path === 'notes.txt' ? [] : readers);
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  it('changes with every setting but the tier, which is the maker’s', () => {
    const leaves = settingPaths(DEFAULT_RENDER_SETTINGS);
    fc.assert(
      fc.property(fc.constantFrom(...leaves), (path) => {
        const inputs = sequence(3);
        const changed = { ...inputs, settings: withOther(inputs.settings, path) };
        const same = keys(inputs, [2]).get(2) === keys(changed, [2]).get(2);
        expect(same).toBe(path.join('.') === 'tier');
      }),
      { seed: 6, numRuns: leaves.length * 2 },
    );
  });

  it('does not depend on the order of files and settings', () => {
    const inputs = sequence(4);
    const settings = Object.fromEntries(Object.entries(inputs.settings).reverse()) as unknown as RenderSettings;
    const turned = { ...inputs, files: inputs.files.toReversed(), settings };
    expect(keys(turned, all(4))).toEqual(keys(inputs, all(4)));
  });

  it('differs between frames, builds and tiers, and between devices on the GPU only', () => {
    const still: FrameInputs = { ...sequence(1), main: 'notes.txt', inspection: { sequence: null, frameFiles: [] } };
    const distinct = keys(still, all(20));
    expect(new Set(distinct.values()).size).toBe(20);
    const key = (maker: Partial<FrameMaker>) => keys(still, [1], { ...MAKER, ...maker }).get(1);
    expect(key({ build: 'two' })).not.toBe(key({}));
    expect(key({ engine: 'replay' })).not.toBe(key({}));
    expect(key({ tier: 'gpu' })).not.toBe(key({}));
    expect(key({ device: 'another processor' })).toBe(key({}));
    expect(key({ tier: 'gpu', device: 'A' })).not.toBe(key({ tier: 'gpu', device: 'B' }));
  });

  it('is not given to a frame that reads a file which is not there', () => {
    const inputs = sequence(3);
    const files = inputs.files.filter(({ path }) => path !== 'shot.0002.glb');
    expect([...frameInputHashes({ ...inputs, files }, all(3)).keys()]).toEqual([1, 3]);
  });
});

/** Paths of all values inside the settings. */
function settingPaths(value: object, path: string[] = []): string[][] {
  return Object.entries(value).flatMap(([name, inner]) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? settingPaths(inner, [...path, name])
      : [[...path, name]],
  );
}

/** The settings with another value at a path. */
function withOther(settings: RenderSettings, path: string[]): RenderSettings {
  const copy = structuredClone(settings);
  const holder = path.slice(0, -1).reduce((at, name) => at[name] as never, copy as unknown as Record<string, unknown>);
  holder[path.at(-1)!] = 'another value';
  return copy;
}
