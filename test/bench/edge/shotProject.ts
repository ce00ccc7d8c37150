/**
 * The benchmark's projects, made by rule: water that a simulation wrote frame by frame, in a basin that stands still, under
 * a lamp. `shot` is one file a frame (`frame.####.glb`, its water inside) beside buffers that all share; `all-shared` is one
 * animated file of the same total size.
 */
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EdgeProject } from './edgeReport.ts';
import { SHOT_FRAMES, type ShotSize } from './size.ts';

/** Goes up when the files change. */
export const PROJECT_VERSION = 2;

/** A project on disk. */
export interface BenchProject {
  /** Scene file or pattern, as a submission names it. */
  scene: string;
  totalBytes: number;
  /** Bytes that every frame reads, and what a frame reads beside them. */
  sharedBytes: number;
  ownBytes: number;
}

const FPS = 24;
const SHARED_FILE = 'basin.bin';
/** Bytes of a grid's vertex: position, normal, and its share of the indices. */
const BYTES_A_VERTEX = 12 + 12 + 24;

type Height = (x: number, z: number) => number;
/** With which of its corners a triangle begins, 0 to 2. */
type FirstCorner = (triangle: number) => number;

/** Makes the project below `folder`, or finds it there. */
export async function makeProject(folder: string, kind: EdgeProject, size: ShotSize): Promise<BenchProject> {
  if (!(await stat(folder).catch(() => null))) {
    const unfinished = `${folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await (kind === 'shot' ? writeSequence(unfinished, size) : writeSingle(unfinished, size));
    await rename(unfinished, folder);
  }
  const bytesOf = async (name: string): Promise<number> => (await stat(join(folder, name))).size;
  if (kind === 'all-shared') {
    const totalBytes = await bytesOf('shot.glb');
    return { scene: join(folder, 'shot.glb'), totalBytes, sharedBytes: totalBytes, ownBytes: 0 };
  }
  const sharedBytes = await bytesOf(SHARED_FILE);
  let ownTotal = 0;
  for (let frame = 1; frame <= SHOT_FRAMES; frame += 1) ownTotal += await bytesOf(frameFile(frame));
  return {
    scene: join(folder, frameFile(1)),
    totalBytes: sharedBytes + ownTotal,
    sharedBytes,
    ownBytes: Math.round(ownTotal / SHOT_FRAMES),
  };
}

const frameFile = (frame: number): string => `frame.${String(frame).padStart(4, '0')}.glb`;

async function writeSequence(folder: string, { sharedBytes, ownBytes }: ShotSize): Promise<void> {
  const basin = gridOf(sharedBytes, basinHeight, 6);
  await writeFile(join(folder, SHARED_FILE), basin.bytes);
  for (let frame = 1; frame <= SHOT_FRAMES; frame += 1) {
    const water = gridOf(ownBytes, waterHeight(frame), 3, cornersOf(frame));
    const json = sceneJson([
      { name: 'basin', grid: basin, uri: SHARED_FILE, color: [0.55, 0.42, 0.3], roughness: 0.9 },
      { name: 'water', grid: water, uri: null, color: [0.1, 0.3, 0.42], roughness: 0.2 },
    ]);
    // The camera travels: no two frames are alike even where the water is out of sight.
    json.nodes.push({ name: 'camera', camera: 0, translation: cameraAt(frame), rotation: DOWNWARDS });
    json.scenes[0]!.nodes.push(json.nodes.length - 1);
    await writeFile(join(folder, frameFile(frame)), glb(json, water.bytes));
  }
}

async function writeSingle(folder: string, { projectBytes }: ShotSize): Promise<void> {
  const ground = gridOf(projectBytes, basinHeight, 6);
  const times = Float32Array.from({ length: SHOT_FRAMES }, (_, index) => index / FPS);
  const places = Float32Array.from(Array.from({ length: SHOT_FRAMES }, (_, index) => cameraAt(index + 1)).flat());
  const bytes = Buffer.concat([ground.bytes, Buffer.from(times.buffer), Buffer.from(places.buffer)]);
  const json = sceneJson([
    { name: 'ground', grid: { ...ground, bytes }, uri: null, color: [0.55, 0.42, 0.3], roughness: 0.9 },
  ]);
  json.nodes.push({ name: 'camera', camera: 0, translation: cameraAt(1), rotation: DOWNWARDS });
  const camera = json.nodes.length - 1;
  json.scenes[0]!.nodes.push(camera);
  const [at, length] = [ground.bytes.length, times.byteLength];
  const views = json.bufferViews.length;
  json.bufferViews.push({ buffer: 0, byteOffset: at, byteLength: length });
  json.bufferViews.push({ buffer: 0, byteOffset: at + length, byteLength: places.byteLength });
  const accessors = json.accessors.length;
  const count = SHOT_FRAMES;
  const last = [times[count - 1]!];
  json.accessors.push({ bufferView: views, componentType: FLOAT, count, type: 'SCALAR', min: [0], max: last });
  json.accessors.push({ bufferView: views + 1, componentType: FLOAT, count, type: 'VEC3' });
  const animations = [
    {
      samplers: [{ input: accessors, output: accessors + 1, interpolation: 'LINEAR' }],
      channels: [{ sampler: 0, target: { node: camera, path: 'translation' } }],
    },
  ];
  await writeFile(join(folder, 'shot.glb'), glb({ ...json, animations }, bytes));
}

/** Dunes around a hollow. */
const basinHeight: Height = (x, z) =>
  0.09 * (x * x + z * z) - 0.8 + 0.18 * Math.sin(2.1 * x + 0.7 * z) + 0.11 * Math.sin(3.3 * z - 1.3 * x);

/** Two trains of waves and a drop's rings, as they are at a frame. */
const waterHeight =
  (frame: number): Height =>
  (x, z) => {
    const t = frame / FPS;
    const rings = Math.hypot(x - 0.6, z + 0.4);
    return (
      0.06 * Math.sin(3 * x + 2 * z - 4 * t) +
      0.04 * Math.sin(5 * z - 3 * x - 6 * t) +
      0.08 * Math.exp(-rings) * Math.sin(9 * rings - 11 * t)
    );
  };

const cameraAt = (frame: number): [number, number, number] => [
  -1.2 + 0.024 * frame,
  3.1 + 0.1 * Math.sin(frame / 9),
  4.2,
];
/** 38 degrees about X. */
const DOWNWARDS: [number, number, number, number] = [-Math.sin(0.332), 0, 0, Math.cos(0.332)];

interface Grid {
  /** Positions, normals, indices, one after the other. */
  bytes: Buffer;
  vertices: number;
  indices: number;
  min: number[];
  max: number[];
}

/**
 * No piece of a frame's indices is like another frame's: what one frame alone needs must cross for each, though files that are cut
 * by their content would share it. A multiplicative hash (Knuth), seeded by the frame.
 */
const cornersOf =
  (frame: number): FirstCorner =>
  (triangle) =>
    (Math.imul(triangle ^ Math.imul(frame, 0x9e3779b1), 0x85ebca6b) >>> 16) % 3;

/** A square height field of about so many bytes, from `-reach` to `reach`. */
function gridOf(wantedBytes: number, height: Height, reach: number, first: FirstCorner = () => 0): Grid {
  const side = Math.max(2, Math.round(Math.sqrt(wantedBytes / BYTES_A_VERTEX)));
  const vertices = side * side;
  const positions = new Float32Array(vertices * 3);
  const normals = new Float32Array(vertices * 3);
  const step = (2 * reach) / (side - 1);
  const [min, max] = [
    [-reach, Number.POSITIVE_INFINITY, -reach],
    [reach, Number.NEGATIVE_INFINITY, reach],
  ];
  for (let j = 0, at = 0; j < side; j += 1) {
    for (let i = 0; i < side; i += 1, at += 3) {
      const [x, z] = [-reach + i * step, -reach + j * step];
      const y = height(x, z);
      const slope = [
        (height(x - 0.01, z) - height(x + 0.01, z)) / 0.02,
        (height(x, z - 0.01) - height(x, z + 0.01)) / 0.02,
      ];
      const length = Math.hypot(slope[0]!, 1, slope[1]!);
      positions.set([x, y, z], at);
      normals.set([slope[0]! / length, 1 / length, slope[1]! / length], at);
      const kept = positions[at + 1]!;
      min[1] = Math.min(min[1]!, kept);
      max[1] = Math.max(max[1]!, kept);
    }
  }
  // The corners as floats hold them.
  for (const axis of [0, 2]) {
    min[axis] = positions[axis]!;
    max[axis] = positions[(vertices - 1) * 3 + axis]!;
  }
  const indices = new Uint32Array((side - 1) * (side - 1) * 6);
  for (let j = 0, at = 0; j + 1 < side; j += 1) {
    for (let i = 0; i + 1 < side; i += 1, at += 6) {
      const corner = j * side + i;
      const near = [corner, corner + side, corner + 1];
      const far = [corner + 1, corner + side, corner + side + 1];
      for (const [half, triangle] of [near, far].entries()) {
        const turn = first(at / 3 + half);
        for (let k = 0; k < 3; k += 1) indices[at + 3 * half + k] = triangle[(k + turn) % 3]!;
      }
    }
  }
  const bytes = Buffer.concat([positions, normals, indices].map((array) => Buffer.from(array.buffer)));
  return { bytes, vertices, indices: indices.length, min: min as number[], max: max as number[] };
}

const FLOAT = 5126;
const UINT = 5125;

/** A square that faces down: corners and indices. */
const LAMP = Buffer.concat([
  Buffer.from(Float32Array.of(-1, 0, -1, 1, 0, -1, 1, 0, 1, -1, 0, 1).buffer),
  Buffer.from(Uint16Array.of(0, 1, 2, 0, 2, 3).buffer),
]);

interface Part {
  name: string;
  grid: Grid;
  /** File of its buffer; null: the file's own binary chunk. */
  uri: string | null;
  color: [number, number, number];
  roughness: number;
}

/** glTF of grids under a lamp, with a camera that no node holds yet. */
function sceneJson(parts: Part[]) {
  const lamp = {
    emissiveFactor: [1, 0.95, 0.85],
    extensions: { KHR_materials_emissive_strength: { emissiveStrength: 28 } },
  };
  const views = (buffer: number, { vertices, indices }: Grid) => [
    { buffer, byteOffset: 0, byteLength: vertices * 12 },
    { buffer, byteOffset: vertices * 12, byteLength: vertices * 12 },
    { buffer, byteOffset: vertices * 24, byteLength: indices * 4 },
  ];
  // The own binary chunk must be the first buffer.
  const ordered = [...parts].sort((a, b) => Number(a.uri !== null) - Number(b.uri !== null));
  const lampMesh = ordered.length;
  return {
    asset: { version: '2.0', generator: 'Framewright benchmark', extras: { fps: FPS, start: 1 } },
    extensionsUsed: ['KHR_materials_emissive_strength'],
    scene: 0,
    scenes: [{ name: 'shot', nodes: [...ordered.keys(), lampMesh] }],
    nodes: [
      ...ordered.map(({ name }, mesh) => ({ name, mesh })),
      { name: 'lamp', mesh: lampMesh, translation: [-1, 5, -1], scale: [0.8, 1, 0.8] },
    ] as Record<string, unknown>[],
    cameras: [{ type: 'perspective', perspective: { yfov: 0.75, aspectRatio: 16 / 9, znear: 0.05 } }],
    materials: [
      ...ordered.map(({ name, color, roughness }) => ({
        name,
        pbrMetallicRoughness: { baseColorFactor: [...color, 1], metallicFactor: 0, roughnessFactor: roughness },
      })),
      { name: 'lamp', ...lamp },
    ],
    meshes: [
      ...ordered.map(({ name }, part) => ({
        name,
        primitives: [
          { attributes: { POSITION: part * 3, NORMAL: part * 3 + 1 }, indices: part * 3 + 2, material: part },
        ],
      })),
      {
        name: 'lamp',
        primitives: [{ attributes: { POSITION: lampMesh * 3 }, indices: lampMesh * 3 + 1, material: ordered.length }],
      },
    ],
    buffers: [
      ...ordered.map(({ uri, grid }) => ({ byteLength: grid.bytes.length, ...(uri ? { uri } : {}) })),
      { byteLength: LAMP.length, uri: `data:application/octet-stream;base64,${LAMP.toString('base64')}` },
    ],
    bufferViews: [
      ...ordered.flatMap(({ grid }, buffer) => views(buffer, grid)),
      { buffer: lampMesh, byteOffset: 0, byteLength: 48 },
      { buffer: lampMesh, byteOffset: 48, byteLength: 12 },
    ] as Record<string, number>[],
    accessors: [
      ...ordered.flatMap(({ grid }, part) => [
        {
          bufferView: part * 3,
          componentType: FLOAT,
          count: grid.vertices,
          type: 'VEC3',
          min: grid.min,
          max: grid.max,
        },
        { bufferView: part * 3 + 1, componentType: FLOAT, count: grid.vertices, type: 'VEC3' },
        { bufferView: part * 3 + 2, componentType: UINT, count: grid.indices, type: 'SCALAR' },
      ]),
      { bufferView: lampMesh * 3, componentType: FLOAT, count: 4, type: 'VEC3', min: [-1, 0, -1], max: [1, 0, 1] },
      { bufferView: lampMesh * 3 + 1, componentType: 5123, count: 6, type: 'SCALAR' },
    ] as Record<string, unknown>[],
  };
}

function glb(json: object, binary: Buffer): Buffer {
  const chunk = (type: number, bytes: Buffer, filler: number): Buffer => {
    const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4, filler);
    bytes.copy(padded);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(padded.length, 0);
    head.writeUInt32LE(type, 4);
    return Buffer.concat([head, padded]);
  };
  const body = [chunk(0x4e4f534a, Buffer.from(JSON.stringify(json)), 0x20), chunk(0x004e4942, binary, 0)];
  const head = Buffer.alloc(12);
  head.write('glTF', 0, 'latin1');
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(12 + body.reduce((sum, { length }) => sum + length, 0), 8);
  return Buffer.concat([head, ...body]);
}
