import { describe, expect, it } from 'vitest';
import { peekInto } from './peek.ts';

describe('peekInto', () => {
  it('lists cameras that stand in the scene and files that were not chosen', () => {
    const gltf = {
      cameras: [{ name: 'Hero' }, {}],
      nodes: [{ camera: 0 }, { name: 'Side', camera: 1 }, { name: 'Box' }],
      buffers: [{ uri: '../geo/a%20b.bin' }, { uri: 'data:application/octet-stream;base64,AA==' }],
      images: [{ uri: 'tex/wood.png' }],
      animations: [{ samplers: [{ input: 0 }, { input: 1 }] }],
      accessors: [{ max: [1] }, { max: [2.5] }],
    };
    expect(peekInto(gltf, 'scenes/shot.gltf', new Set(['scenes/shot.gltf', 'geo/a b.bin']))).toEqual({
      cameras: ['Hero', 'Side'],
      variants: [],
      missing: ['scenes/tex/wood.png'],
      durationSeconds: 2.5,
    });
  });

  it('finds nothing amiss in a bare file', () => {
    expect(peekInto({}, 'shot.glb', new Set())).toEqual({ cameras: [], variants: [], missing: [], durationSeconds: 0 });
  });
});
