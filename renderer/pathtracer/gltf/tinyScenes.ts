/** Tiny glTF files for tests: one triangle, and whatever a test changes about it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** JSON of a glTF file, loose enough to be broken on purpose. */
// biome-ignore lint/suspicious/noExplicitAny: tests break every rule of the type
export type LooseGltf = Record<string, any>;

export interface TinyScene {
  json: LooseGltf;
  binary: Buffer;
}

/** One triangle in the plane z = 0 with normals and texture coordinates, under one node. */
export function triangleScene(): TinyScene {
  const positions = Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0);
  const normals = Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1);
  const uvs = Float32Array.of(0, 0, 1, 0, 0, 1);
  const indices = Uint16Array.of(0, 1, 2, 0);
  const binary = Buffer.concat([positions, normals, uvs, indices].map((array) => Buffer.from(array.buffer)));
  return {
    json: {
      asset: { version: '2.0', generator: 'tiny' },
      scene: 0,
      scenes: [{ nodes: [0] }],
      nodes: [{ name: 'plate', mesh: 0 }],
      meshes: [
        {
          name: 'triangle',
          primitives: [{ attributes: { POSITION: 0, NORMAL: 1, TEXCOORD_0: 2 }, indices: 3, material: 0 }],
        },
      ],
      materials: [{ name: 'clay', pbrMetallicRoughness: { baseColorFactor: [0.8, 0.4, 0.2, 1], metallicFactor: 0 } }],
      accessors: [
        { bufferView: 0, componentType: 5126, count: 3, type: 'VEC3', min: [0, 0, 0], max: [1, 1, 0] },
        { bufferView: 1, componentType: 5126, count: 3, type: 'VEC3' },
        { bufferView: 2, componentType: 5126, count: 3, type: 'VEC2' },
        { bufferView: 3, componentType: 5123, count: 3, type: 'SCALAR' },
      ],
      bufferViews: [
        { buffer: 0, byteOffset: 0, byteLength: 36 },
        { buffer: 0, byteOffset: 36, byteLength: 36 },
        { buffer: 0, byteOffset: 72, byteLength: 24 },
        { buffer: 0, byteOffset: 96, byteLength: 6 },
      ],
      buffers: [{ byteLength: 104 }],
    },
    binary,
  };
}

/** Appends numbers to a scene's buffer as an accessor of its own and returns its index. */
export function addAccessor(
  { json, binary }: TinyScene,
  values: number[],
  type: 'SCALAR' | 'VEC3' | 'VEC4' | 'MAT4',
): { scene: TinyScene; index: number } {
  const size = { SCALAR: 1, VEC3: 3, VEC4: 4, MAT4: 16 }[type];
  const bytes = Buffer.from(Float32Array.from(values).buffer);
  const view = json.bufferViews.push({ buffer: 0, byteOffset: binary.length, byteLength: bytes.length }) - 1;
  const count = values.length / size;
  const column = (k: number): number[] => values.filter((_, i) => i % size === k);
  const bounds = {
    min: Array.from({ length: size }, (_, k) => Math.min(...column(k))),
    max: Array.from({ length: size }, (_, k) => Math.max(...column(k))),
  };
  const index =
    json.accessors.push({ bufferView: view, componentType: 5126, count, type, ...(type === 'SCALAR' ? bounds : {}) }) -
    1;
  const grown = Buffer.concat([binary, bytes]);
  json.buffers[0].byteLength = grown.length;
  return { scene: { json, binary: grown }, index };
}

/** The scene as `.glb` bytes; `text` replaces the JSON. */
export function toGlb({ json, binary }: TinyScene, text = JSON.stringify(json)): Buffer {
  const body = Buffer.from(text.padEnd(Math.ceil(Buffer.byteLength(text) / 4) * 4, ' '));
  const data = Buffer.concat([binary, Buffer.alloc((4 - (binary.length % 4)) % 4)]);
  const head = Buffer.alloc(20);
  head.write('glTF', 0, 'latin1');
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(28 + body.length + data.length, 8);
  head.writeUInt32LE(body.length, 12);
  head.write('JSON', 16, 'latin1');
  const middle = Buffer.alloc(8);
  middle.writeUInt32LE(data.length, 0);
  middle.write('BIN\0', 4, 'latin1');
  return Buffer.concat([head, body, middle, data]);
}

/** A new temporary folder with the given files, gone when the test is over. */
export async function projectWith(files: Record<string, string | Uint8Array>): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'framewright-scene-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), bytes);
  }
  return root;
}
