/** What is compared with an independent renderer: small scenes of one subject each, and real files where they are at hand. */
import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SceneInstancer } from '../../renderer/pathtracer/gltf/instantiate.ts';
import { loadScene } from '../../renderer/pathtracer/gltf/load.ts';
import type { SceneDescription, SurfaceMaterial } from '../../renderer/pathtracer/scene/description.ts';
import {
  camera,
  constantEnvironment,
  material,
  place,
  scene,
  sphere,
  square,
} from '../../renderer/pathtracer/wasm/test-scenes.ts';

export interface ReferenceScene {
  name: string;
  /** Scattering limit of both renderers. */
  depth: number;
  /** The scene, or null where its file is not at hand. `folder` is empty and for its files. */
  build(folder: string, aspect: number): Promise<SceneDescription | null>;
}

/**
 * Sky that is bright above and has a small sun: what importance sampling has to find. Fine enough for a convention not to show:
 * Mitsuba puts the first and last row's centres on the poles, we half a row beside them.
 */
function sunnySky() {
  const [width, height] = [512, 256];
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sun = Math.abs(y - 60) <= 12 && Math.abs(x - 180) <= 12 ? 40 : 0;
      const sky = y < height / 2 ? 0.5 : 0.15;
      data.set([sky * 0.7 + sun, sky * 0.85 + sun * 0.9, sky + sun * 0.7], (y * width + x) * 3);
    }
  }
  return { width, height, data, rotation: 0, intensity: 1, revision: 77 };
}

/** Three spheres on a floor, all lit by `sunnySky`. */
function spheresOnFloor(surfaces: Partial<SurfaceMaterial>[]): SceneDescription {
  const ball = (index: number) => sphere(48, index);
  const spots = surfaces.map((_, index) => place(index + 1, [(index - (surfaces.length - 1) / 2) * 2.2, 1, 0]));
  return scene({
    meshes: [square(8), ...surfaces.map((_, index) => ball(index + 1))],
    instances: [place(0), ...spots],
    materials: [material({ baseColor: [0.6, 0.55, 0.5, 1] }), ...surfaces.map((surface) => material(surface))],
    environment: sunnySky(),
    camera: camera([0, 3.2, 8], [0, 0.8, 0], 0.7),
  });
}

/** A closed box of coloured walls, lit by a panel below its ceiling: diffuse interreflection from an emissive mesh. */
function litBox(): SceneDescription {
  const wall = (materialIndex: number) => square(1, materialIndex);
  const turned = (mesh: number, name: string, columns: number[]) => ({
    mesh,
    name,
    transform: Float32Array.from(columns),
  });
  return scene({
    meshes: [wall(0), wall(0), wall(1), wall(2), wall(0), square(0.35, 3), sphere(32, 0)],
    materials: [
      material({ baseColor: [0.73, 0.73, 0.73, 1], doubleSided: true }),
      material({ baseColor: [0.63, 0.07, 0.05, 1], doubleSided: true }),
      material({ baseColor: [0.14, 0.45, 0.09, 1], doubleSided: true }),
      material({ baseColor: [0, 0, 0, 1], emissive: [12, 10, 7] }),
    ],
    instances: [
      turned(0, 'floor', [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, -1, 0, 1]),
      turned(1, 'ceiling', [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 1, 0, 1]),
      turned(2, 'left', [0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, -1, 0, 0, 1]),
      turned(3, 'right', [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1]),
      turned(4, 'back', [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, -1, 1]),
      turned(5, 'panel', [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0.98, 0, 1]),
      place(6, [0.3, -0.6, 0.1], 0.4),
    ],
    camera: camera([0, 0, 3.4], [0, 0, 0], 0.72),
  });
}

function underLamps(): SceneDescription {
  return {
    ...spheresOnFloor([
      { baseColor: [0.8, 0.3, 0.2, 1], roughness: 0.6 },
      { metallic: 1, roughness: 0.4 },
    ]),
    environment: constantEnvironment([0.02, 0.02, 0.03]),
    lights: [
      { kind: 'point', position: [2, 4, 3], intensity: [60, 55, 45] },
      { kind: 'directional', direction: [0.6, -0.7, -0.4], intensity: [0.8, 0.9, 1.2] },
    ],
  };
}

/** A file of the folder that `FRAMEWRIGHT_SCENES` names, with the environment beside it. */
function fromFile(name: string, frameTime: number): ReferenceScene['build'] {
  return async (folder, aspect) => {
    const scenes = process.env.FRAMEWRIGHT_SCENES ?? join(process.cwd(), '../shared/scenes');
    const source = join(scenes, `${name}.glb`);
    if (!(await stat(source).catch(() => null))) return null;
    await copyFile(source, join(folder, `${name}.glb`));
    await copyFile(join(scenes, 'royal-esplanade-1k.hdr'), join(folder, `${name}.hdr`));
    const loaded = await loadScene({ root: folder, main: `${name}.glb` });
    return new SceneInstancer(loaded).at(frameTime, null, aspect);
  };
}

const built = (make: () => SceneDescription): ReferenceScene['build'] => {
  return async () => make();
};

export const REFERENCE_SCENES: readonly ReferenceScene[] = [
  { name: 'box', depth: 6, build: built(litBox) },
  {
    name: 'metals',
    depth: 6,
    build: built(() =>
      spheresOnFloor([
        { metallic: 1, roughness: 0.1, baseColor: [1, 0.78, 0.34, 1] },
        { metallic: 1, roughness: 0.35, baseColor: [0.95, 0.64, 0.54, 1] },
        { metallic: 1, roughness: 0.8, baseColor: [0.9, 0.9, 0.9, 1] },
      ]),
    ),
  },
  {
    name: 'plastics',
    depth: 6,
    build: built(() =>
      spheresOnFloor([
        { roughness: 0.1, baseColor: [0.1, 0.2, 0.7, 1] },
        { roughness: 0.4, baseColor: [0.7, 0.1, 0.1, 1] },
        { roughness: 0.9, baseColor: [0.2, 0.6, 0.2, 1] },
      ]),
    ),
  },
  {
    name: 'glass',
    depth: 16,
    build: built(() =>
      spheresOnFloor([
        { transmission: 1, thickness: 1, roughness: 0, ior: 1.5 },
        { transmission: 1, thickness: 1, roughness: 0.4, ior: 1.5 },
        { transmission: 1, thickness: 1, roughness: 0.7, ior: 1.33 },
      ]),
    ),
  },
  { name: 'lamps', depth: 4, build: built(underLamps) },
  { name: 'damaged-helmet', depth: 6, build: fromFile('damaged-helmet', 0) },
  { name: 'robot-walk', depth: 6, build: fromFile('robot-walk', 0.5) },
];
