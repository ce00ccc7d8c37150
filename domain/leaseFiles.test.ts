import { describe, expect, it } from 'vitest';
import { filesOfLease } from './leaseFiles.ts';
import { DEFAULT_RENDER_SETTINGS } from './scene.ts';

const project = ['a.png', 'set.bin', 'shot.0001.gltf', 'shot.0002.gltf', 'shot.0003.gltf', 'unused.mov'].map(
  (path, index) => ({ path, sizeBytes: index + 1, hash: String(index).repeat(64) }),
);
const inspection = {
  sequence: { pattern: 'shot.####.gltf', frames: '1-3' },
  frameFiles: [
    { frames: '1-2', files: ['set.bin'], perFrame: ['shot.{frame:04}.gltf'] },
    { frames: '3', files: ['a.png', 'set.bin'], perFrame: ['shot.{frame:04}.gltf'] },
  ],
};
const still = DEFAULT_RENDER_SETTINGS;
const pathsOf = ({ files }: { files: { path: string }[] }) => files.map(({ path }) => path);

describe('files of a lease', () => {
  it('are those of its frames, what all of them read first', () => {
    const lease = filesOfLease(project, inspection, [2, 3], still);
    expect(pathsOf(lease)).toEqual(['set.bin', 'shot.0002.gltf', 'a.png', 'shot.0003.gltf']);
    expect(lease.sharedFiles).toBe(1);
    expect(lease.ofFrame).toEqual(
      new Map([
        [2, [1]],
        [3, [2, 3]],
      ]),
    );
  });

  it('are those of one frame however often it is cut', () => {
    const lease = filesOfLease(project, inspection, [1, 1, 1], still);
    expect(pathsOf(lease)).toEqual(['set.bin', 'shot.0001.gltf']);
    expect(lease).toMatchObject({ sharedFiles: 2, ofFrame: new Map([[1, []]]) });
  });

  it('are also those of the next frame when something moves', () => {
    const lease = filesOfLease(project, inspection, [1], { ...still, shutter: 0.5 });
    expect(pathsOf(lease)).toEqual(['set.bin', 'shot.0001.gltf', 'shot.0002.gltf']);
  });

  it('are all of the project when nobody knows better', () => {
    const everything = project.map(({ path }) => path);
    const silent = { sequence: null, frameFiles: [] };
    const stale = { sequence: null, frameFiles: [{ frames: null, files: ['gone.glb'], perFrame: [] }] };
    for (const known of [null, silent, stale]) {
      const lease = filesOfLease(project, known, [1, 2], still);
      expect(pathsOf(lease)).toEqual(everything);
      expect(lease.sharedFiles).toBe(everything.length);
    }
  });
});
