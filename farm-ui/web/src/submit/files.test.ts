import { describe, expect, it } from 'vitest';
import { asProject, sceneFiles, shotName } from './files.ts';

const paths = (...list: string[]) => list.map((path) => ({ path }));

describe('asProject', () => {
  it('takes off the folder that holds everything, and litter', () => {
    const files = asProject(paths('shot/tex/b.png', 'shot/a.gltf', 'shot/.DS_Store'));
    expect(files.map(({ path }) => path)).toEqual(['a.gltf', 'tex/b.png']);
  });

  it('keeps paths when there is no one folder', () => {
    expect(asProject(paths('a/x.bin', 'b/y.bin')).map(({ path }) => path)).toEqual(['a/x.bin', 'b/y.bin']);
    expect(asProject(paths('x.glb')).map(({ path }) => path)).toEqual(['x.glb']);
  });
});

describe('sceneFiles', () => {
  it('puts the scene nearest to the root first', () => {
    expect(sceneFiles(paths('lib/prop.glb', 'tex/a.png', 'shot.GLTF', 'alt.glb'))).toEqual([
      'alt.glb',
      'shot.GLTF',
      'lib/prop.glb',
    ]);
  });
});

describe('shotName', () => {
  it.each([
    ['shots/robot walk.glb', 'robot-walk'],
    ['Grün (1).gltf', 'Gru-n-1'],
    ['.glb', 'shot'],
  ])('%s gives %s', (path, name) => expect(shotName(path)).toBe(name));
});
