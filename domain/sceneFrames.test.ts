import { describe, expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS } from './scene.ts';
import { filesOfFrame, frameRangeWarnings, requireFrameFiles } from './sceneFrames.ts';

const sequence = { pattern: 'shot.####.gltf', frames: '1-3,5' };
const frameFiles = [
  { frames: '1-3', files: ['set.bin'], perFrame: ['shot.{frame:04}.gltf', 'sim/{frame:02}.bin'] },
  { frames: '5', files: ['set.bin', 'end.png'], perFrame: ['shot.{frame:04}.gltf'] },
];
const still = DEFAULT_RENDER_SETTINGS;

describe('files of a frame', () => {
  it('are what is listed for it', () => {
    expect(filesOfFrame({ sequence, frameFiles }, 2, still)).toEqual(['set.bin', 'shot.0002.gltf', 'sim/02.bin']);
    expect(filesOfFrame({ sequence, frameFiles }, 5, still)).toEqual(['end.png', 'set.bin', 'shot.0005.gltf']);
    const one = { sequence: null, frameFiles: [{ frames: null, files: ['a.glb'], perFrame: [] }] };
    expect(filesOfFrame(one, 99, { ...still, shutter: 1 })).toEqual(['a.glb']);
  });

  it('are those of the next one too, when the shutter is open', () => {
    const open = filesOfFrame({ sequence, frameFiles }, 2, { ...still, shutter: 0.5 });
    expect(open).toEqual(['set.bin', 'shot.0002.gltf', 'shot.0003.gltf', 'sim/02.bin', 'sim/03.bin']);
    expect(filesOfFrame({ sequence, frameFiles }, 3, { ...still, shutter: 0.5 })).toHaveLength(3);
  });
});

it('a frame without a file is refused by its number', () => {
  expect(() => requireFrameFiles({ sequence }, [1, 2, 4])).toThrow('Frame 4 has no file');
  requireFrameFiles({ sequence }, [1, 5]);
});

it('frames beyond the animation are said to hold', () => {
  const warnings = (durationSeconds: number, frames: number[]) =>
    frameRangeWarnings({ sequence: null, durationSeconds }, frames, { fps: 24, start: 1 }).map(
      ({ message }) => message,
    );
  expect(warnings(1, [1, 25])).toEqual([]);
  expect(warnings(1, [0, 24, 26, 27])).toEqual([expect.stringContaining('frames 1-25; 0,26-27 hold')]);
  expect(warnings(0, [1])).toEqual([]);
  expect(warnings(0, [1, 2])).toEqual([expect.stringContaining('Nothing moves')]);
});
