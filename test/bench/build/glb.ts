/** The benchmark's mesh as a file, so that the time to the first pixel can start at the disk. */
import { open } from 'node:fs/promises';
import type { MeshGeometry } from '../../../renderer/pathtracer/scene/description.ts';

/** Writes one mesh of positions, normals and indices as binary glTF 2.0, under the default camera. */
export async function writeGlb(path: string, { positions, normals, indices }: MeshGeometry): Promise<void> {
  const [low, high] = [
    [Infinity, Infinity, Infinity],
    [-Infinity, -Infinity, -Infinity],
  ];
  for (let i = 0; i < positions.length; i++) {
    low![i % 3] = Math.min(low![i % 3]!, positions[i]!);
    high![i % 3] = Math.max(high![i % 3]!, positions[i]!);
  }
  const arrays = [positions, normals, indices];
  const starts = arrays.map((_, i) => arrays.slice(0, i).reduce((sum, { byteLength }) => sum + byteLength, 0));
  const byteLength = arrays.reduce((sum, array) => sum + array.byteLength, 0);
  const vertices = positions.length / 3;
  const [FLOAT, UNSIGNED_INT] = [5126, 5125];
  const document = {
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0, NORMAL: 1 }, indices: 2 }] }],
    accessors: [
      { bufferView: 0, componentType: FLOAT, count: vertices, type: 'VEC3', min: low, max: high },
      { bufferView: 1, componentType: FLOAT, count: vertices, type: 'VEC3' },
      { bufferView: 2, componentType: UNSIGNED_INT, count: indices.length, type: 'SCALAR' },
    ],
    bufferViews: arrays.map((array, i) => ({ buffer: 0, byteOffset: starts[i], byteLength: array.byteLength })),
    buffers: [{ byteLength }],
  };
  const text = JSON.stringify(document);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4));
  const words = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
  const [GLTF, JSON_CHUNK, BIN_CHUNK] = [0x46546c67, 0x4e4f534a, 0x004e4942];
  const file = await open(path, 'w');
  try {
    await file.writeFile(words(GLTF, 2, 28 + json.length + byteLength, json.length, JSON_CHUNK));
    await file.writeFile(json);
    await file.writeFile(words(byteLength, BIN_CHUNK));
    for (const { buffer, byteOffset, byteLength: length } of arrays) {
      await file.writeFile(new Uint8Array(buffer, byteOffset, length));
    }
  } finally {
    await file.close();
  }
}
