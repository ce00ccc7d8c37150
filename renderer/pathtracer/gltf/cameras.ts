/** Cameras of a scene, their lenses (`FRAMEWRIGHT_lens`), and which of them is meant. */
import type { GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import type { OrderedNode } from './graph.ts';

export const LENS_EXTENSION = 'FRAMEWRIGHT_lens';

/** A thin lens as the file states it; see `docs/renderer.md`. */
export interface CameraLens {
  /** Focal length over aperture; null for a pinhole. */
  fStop: number | null;
  /** Metres along the viewing axis; null for the distance of what the picture's middle shows. */
  focusDistance: number | null;
  /** Blades of the iris, 0 for a round one. */
  blades: number;
}

/** What a camera sees, apart from where it stands. */
export interface CameraOptics {
  projection: { kind: 'perspective'; yfov: number } | { kind: 'orthographic'; xmag: number; ymag: number };
  aspectRatio: number | null;
  near: number;
  lens: CameraLens | null;
}

export interface SceneCamera extends CameraOptics {
  /** What people call it: the node's name, else the camera's, else its number. */
  name: string;
  /** The camera object's own name, which is accepted too. */
  alias: string;
  /** Index of its node in `LoadedScene.nodes`. */
  node: number;
  /** Index in the file's cameras. */
  source: number;
}

function readLens(camera: GLTF.ICamera, index: number, file: string): CameraLens | null {
  const value: unknown = camera.extensions?.[LENS_EXTENSION];
  if (value === undefined) return null;
  const pointer = `/cameras/${index}/extensions/${LENS_EXTENSION}`;
  const refuse = (what: string): never => {
    throw new FarmError('SceneInvalid', `${file}: ${pointer}${what}`, { file, pointer });
  };
  if (typeof value !== 'object' || value === null) return refuse(' is not an object');
  const { fStop = null, focusDistance = null, blades = 0 } = value as Record<string, unknown>;
  const positive = (number: unknown, name: string): number | null => {
    if (number === null) return null;
    return typeof number === 'number' && number > 0 ? number : refuse(`/${name} is no positive number`);
  };
  if (typeof blades !== 'number' || !(blades >= 0 && blades <= 16)) return refuse('/blades is not from 0 to 16');
  return {
    fStop: positive(fStop, 'fStop'),
    focusDistance: positive(focusDistance, 'focusDistance'),
    blades: Math.round(blades),
  };
}

/** Optics of the file's camera `index`. Throws `SceneInvalid`. */
export function readOptics(json: GLTF.IGLTF, index: number, file: string): CameraOptics {
  const camera = json.cameras![index]!;
  const { perspective, orthographic } = camera;
  const lens = readLens(camera, index, file);
  if (camera.type === 'orthographic' && orthographic) {
    const xmag = Math.max(Math.abs(orthographic.xmag), 1e-9);
    const ymag = Math.max(Math.abs(orthographic.ymag), 1e-9);
    const projection = { kind: 'orthographic', xmag, ymag } as const;
    return { projection, aspectRatio: null, near: Math.max(0, orthographic.znear), lens };
  }
  if (!perspective) {
    const pointer = `/cameras/${index}`;
    throw new FarmError('SceneInvalid', `${file}: ${pointer} is neither perspective nor orthographic`, {
      file,
      pointer,
    });
  }
  if (perspective.yfov >= Math.PI) {
    const pointer = `/cameras/${index}/perspective/yfov`;
    throw new FarmError('SceneInvalid', `${file}: ${pointer} is ${perspective.yfov}: a view has less than 180°, pi`, {
      ...{ file, pointer },
    });
  }
  return {
    projection: { kind: 'perspective', yfov: Math.min(Math.max(perspective.yfov, 1e-4), Math.PI - 1e-4) },
    aspectRatio: perspective.aspectRatio ?? null,
    near: Math.max(0, perspective.znear),
    lens,
  };
}

/** The cameras of a scene in the order of its nodes, with names that differ. Throws `SceneInvalid`. */
export function readCameras(json: GLTF.IGLTF, ordered: readonly OrderedNode[], file: string): SceneCamera[] {
  const cameras: SceneCamera[] = [];
  ordered.forEach(({ source: nodeSource }, node) => {
    const { camera: source, name } = json.nodes![nodeSource]!;
    if (source === undefined) return;
    const alias = json.cameras![source]!.name ?? '';
    const optics = readOptics(json, source, file);
    cameras.push({ ...optics, name: name || alias || `camera ${cameras.length + 1}`, alias, node, source });
  });
  // Two cameras of one name cannot be told apart on a command line: later ones get a number.
  const used = new Set<string>();
  const numbers = new Map<string, number>();
  for (const camera of cameras) {
    const base = camera.name;
    while (used.has(camera.name)) {
      const number = (numbers.get(base) ?? 1) + 1;
      numbers.set(base, number);
      camera.name = `${base} (${number})`;
    }
    used.add(camera.name);
  }
  return cameras;
}

/**
 * The camera that a name means: node name first, then the camera object's. Null takes the first one, if any. Throws
 * `CameraUnknown`, listing those that exist.
 */
export function chooseCamera(scene: { file: string; cameras: SceneCamera[] }, name: string | null): SceneCamera | null {
  if (name === null) return scene.cameras[0] ?? null;
  const found =
    scene.cameras.find((camera) => camera.name === name) ?? scene.cameras.find((camera) => camera.alias === name);
  if (found) return found;
  const known = scene.cameras.map((camera) => `"${camera.name}"`).join(', ');
  throw new FarmError('CameraUnknown', `${scene.file} has no camera "${name}"; it has ${known || 'none'}`, {
    file: scene.file,
    camera: name,
  });
}
