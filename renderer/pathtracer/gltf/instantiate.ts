/** A loaded scene at one time, through one camera: what the tracer gets. */
import { FarmError } from '../../../domain/errors.ts';
import type { LensSettings } from '../../../domain/scene.ts';
import { studioEnvironment } from '../environment/studio.ts';
import type {
  EnvironmentMap,
  MeshGeometry,
  MeshInstance,
  PunctualLight,
  SceneDescription,
  SurfaceMaterial,
  TracerCamera,
} from '../scene/description.ts';
import { sampleChannel } from './animation.ts';
import { chooseCamera, readOptics, type SceneCamera } from './cameras.ts';
import { ContentStore } from './contentStore.ts';
import { attributesOf, type Deformer, makeDeformer } from './deformer.ts';
import { middleDistance } from './focus.ts';
import { frameScene, objectBounds } from './framing.ts';
import { placeLight, readLights } from './lights.ts';
import type { LoadedScene } from './load.ts';
import { IDENTITY, isFiniteMatrix, type Mat4, multiply, thickened } from './matrix.ts';
import { counterparts } from './nextFrame.ts';
import { lensOf, placeCamera } from './placeCamera.ts';
import { type Pose, poseAt } from './pose.ts';

export { chooseCamera };

/** Largest coordinate in the world, metres: beyond it products of three lengths leave single precision. */
const MAX_COORDINATE = 1e12;

/** What a picture may ask of a scene beside time and camera. */
export interface InstantOptions {
  /** Goes before the file's own lens. */
  lens?: LensSettings | null;
  /** Poses one frame later, for shutters and motion vectors. */
  motion?: Motion | null;
}

export interface Motion {
  /** Share of the frame's time that the shutter is open. */
  shutter: number;
  /** Time of the next frame, seconds. */
  nextTime: number;
  /** The file that shows the next frame, in a sequence; this one when left out. */
  nextScene?: LoadedScene | null;
}

/** The next frame as seen from this one. */
interface Ahead {
  scene: LoadedScene;
  pose: Pose;
  deformer: Deformer;
  /** Index of a node's counterpart, or -1. */
  nodeOf: (index: number) => number;
}

/**
 * Makes scene descriptions of one loaded scene. Keeps what does not change from frame to frame, so that the tracer keeps
 * its BVHs: a mesh gets a new `revision` only when its vertices really moved. `store` gives meshes that files of a sequence
 * share one identity.
 */
export class SceneInstancer {
  private readonly scene: LoadedScene;
  private readonly store: ContentStore;
  private readonly deformer: Deformer;
  /** Meshes that move, by node and part, with what they were made from. */
  private readonly moving = new Map<string, { geometry: MeshGeometry; key: string }>();
  private readonly bounds = new WeakMap<Float32Array, readonly number[]>();

  constructor(scene: LoadedScene, store = new ContentStore()) {
    this.scene = scene;
    this.store = store;
    this.deformer = makeDeformer(scene);
  }

  /** The camera that a name means. Throws `CameraUnknown`, listing those that exist; null when the scene has none. */
  chooseCamera(name: string | null): SceneCamera | null {
    return chooseCamera(this.scene, name);
  }

  /** The scene at `time` seconds. `aspect` is the picture's width over height. */
  at(time: number, camera: string | null, aspect: number, options: InstantOptions = {}): SceneDescription {
    const { scene } = this;
    const chosen = chooseCamera(scene, camera);
    const materials = this.applyPointers(time);
    const pose = poseAt(scene, time);
    const ahead = options.motion ? this.lookAhead(options.motion) : null;
    const { meshes, instances } = this.placeMeshes(pose, ahead);
    const lamps = readLights(scene.json, scene.file);
    const lights = scene.nodes.flatMap((node, index): PunctualLight[] =>
      node.light >= 0 && pose.visible[index] ? [placeLight(lamps[node.light]!, pose.world[index]!)] : [],
    );
    const environment = scene.readEnvironment() ?? this.defaultEnvironment(lights);
    const { images } = scene;
    const view = this.view(chosen, pose, ahead, meshes, instances, aspect, options);
    return { meshes, instances, materials, images, lights, environment, camera: view };
  }

  /** Sets what pointers animate and reads the materials that depend on it. */
  private applyPointers(time: number): SurfaceMaterial[] {
    const { scene } = this;
    for (const clip of scene.clips) {
      for (const channel of clip.channels) channel.write?.(sampleChannel(channel, time));
    }
    if (scene.animatedMaterials.length === 0) return scene.materials;
    const materials = scene.materials.slice();
    for (const { index, read } of scene.animatedMaterials) materials[index] = read();
    return materials;
  }

  private lookAhead({ nextTime, nextScene }: Motion): Ahead {
    const { scene } = this;
    if (!nextScene || nextScene === scene) {
      return { scene, pose: poseAt(scene, nextTime), deformer: this.deformer, nodeOf: (index) => index };
    }
    const nodeOf = counterparts(scene.nodes, nextScene.nodes);
    return { scene: nextScene, pose: poseAt(nextScene, nextTime), deformer: makeDeformer(nextScene), nodeOf };
  }

  private placeMeshes(pose: Pose, ahead: Ahead | null): Pick<SceneDescription, 'meshes' | 'instances'> {
    const { scene } = this;
    const meshes: MeshGeometry[] = [];
    const meshIndex = new Map<number, number>();
    const instances: MeshInstance[] = [];
    scene.nodes.forEach((node, index) => {
      if (!pose.visible[index]) return;
      node.parts.forEach((partIndex, ordinal) => {
        const part = scene.parts[partIndex]!;
        const geometry = this.geometryFor(index, ordinal, pose, ahead);
        let mesh = meshIndex.get(geometry.id);
        if (mesh === undefined) {
          mesh = meshes.push(geometry) - 1;
          meshIndex.set(geometry.id, mesh);
        }
        const places = placesOf(scene, index, ordinal, pose);
        const later = ahead ? this.laterPlaces(index, ordinal, ahead) : [];
        places.forEach((place, copy) => {
          const name = node.name || part.label;
          this.checkPlace(place, geometry, name);
          const next = later[copy];
          const moves = next?.some((value, k) => value !== place[k]) ?? false;
          if (moves) this.checkPlace(next!, geometry, name);
          const transform = Float32Array.from(thickened(place));
          instances.push({
            mesh,
            transform,
            ...(moves ? { transformNext: Float32Array.from(thickened(next!)) } : {}),
            name,
          });
        });
      });
    });
    return { meshes, instances };
  }

  private laterPlaces(index: number, ordinal: number, { scene, pose, nodeOf }: Ahead): Mat4[] {
    const node = nodeOf(index);
    if (node < 0 || !pose.visible[node] || scene.nodes[node]!.parts[ordinal] === undefined) return [];
    return placesOf(scene, node, ordinal, pose);
  }

  private geometryFor(nodeIndex: number, ordinal: number, pose: Pose, ahead: Ahead | null): MeshGeometry {
    const node = this.scene.nodes[nodeIndex]!;
    const part = this.scene.parts[node.parts[ordinal]!]!;
    const now = this.deformer.at(nodeIndex, ordinal, pose);
    const next = ahead && this.positionsAhead(nodeIndex, ordinal, ahead, now);
    if (now.key === null && !next) {
      return this.store.rigidMesh(part.geometry, part.material, (id) => {
        return { id, revision: 0, ...now.vertices, ...attributesOf(part) };
      });
    }
    const slot = `${nodeIndex}/${ordinal}`;
    const key = `${now.key} ${next?.key}`;
    const known = this.moving.get(slot);
    if (known?.key === key) return known.geometry;
    const geometry: MeshGeometry = {
      id: known?.geometry.id ?? this.store.nextMeshId(),
      revision: (known?.geometry.revision ?? -1) + 1,
      ...now.vertices,
      ...(next ? { positionsNext: next.positions } : {}),
      ...attributesOf(part),
    };
    this.moving.set(slot, { geometry, key });
    return geometry;
  }

  /** Vertices of the same part one frame later, where there is such a part and they differ. */
  private positionsAhead(nodeIndex: number, ordinal: number, ahead: Ahead, now: ReturnType<Deformer['at']>) {
    const node = ahead.nodeOf(nodeIndex);
    if (node < 0 || ahead.scene.nodes[node]!.parts[ordinal] === undefined) return null;
    const { key, vertices } = ahead.deformer.at(node, ordinal, ahead.pose);
    const { positions } = vertices;
    if (positions === now.vertices.positions || positions.length !== now.vertices.positions.length) return null;
    if (ahead.scene === this.scene && key === now.key) return null;
    const moves = positions.some((value, i) => value !== now.vertices.positions[i]);
    return moves ? { key: key ?? ahead.scene.file, positions } : null;
  }

  private boundsOf(geometry: MeshGeometry): readonly number[] {
    let bounds = this.bounds.get(geometry.positions);
    if (!bounds) {
      bounds = objectBounds(geometry.positions);
      this.bounds.set(geometry.positions, bounds);
    }
    return bounds;
  }

  /** Refuses places where numbers would no longer be numbers. */
  private checkPlace(place: Mat4, geometry: MeshGeometry, name: string): void {
    const { file } = this.scene;
    if (!isFiniteMatrix(place)) {
      throw new FarmError('SceneInvalid', `${file}: the place of node "${name}" is not finite`, { file, node: name });
    }
    const bounds = this.boundsOf(geometry);
    for (let k = 0; k < 3; k++) {
      let reach = Math.abs(place[12 + k]!);
      for (let axis = 0; axis < 3; axis++) {
        reach += Math.abs(place[4 * axis + k]!) * Math.max(Math.abs(bounds[axis]!), Math.abs(bounds[axis + 3]!));
      }
      if (reach <= MAX_COORDINATE) continue;
      const message = `${file}: "${name}" reaches beyond ${MAX_COORDINATE} m, further than numbers carry`;
      throw new FarmError('SceneInvalid', message, { file, node: name });
    }
  }

  private defaultEnvironment(lights: PunctualLight[]): EnvironmentMap | null {
    return lights.length > 0 || sceneHasLamps(this.scene) ? null : studioEnvironment();
  }

  /** The camera with its motion and its lens. */
  private view(
    chosen: SceneCamera | null,
    pose: Pose,
    ahead: Ahead | null,
    meshes: MeshGeometry[],
    instances: MeshInstance[],
    aspect: number,
    { lens = null, motion }: InstantOptions,
  ): TracerCamera {
    const { json, file } = this.scene;
    const optics = chosen && readOptics(json, chosen.source, file);
    const world = chosen && pose.world[chosen.node]!;
    const camera = optics && world ? placeCamera(optics, world, aspect) : frameScene(meshes, instances, aspect);
    if (chosen && !isFiniteMatrix(world!)) {
      throw new FarmError('SceneInvalid', `${file}: the place of camera "${chosen.name}" is not finite`, {
        file,
        camera: chosen.name,
      });
    }
    const nextNode = chosen && ahead ? ahead.nodeOf(chosen.node) : -1;
    if (optics && nextNode >= 0) {
      const { transform } = placeCamera(optics, ahead!.pose.world[nextNode]!, aspect);
      if (transform.some((value, k) => value !== camera.transform[k])) camera.transformNext = transform;
    }
    if (motion && motion.shutter > 0) camera.shutter = motion.shutter;
    const projection = optics?.projection ?? camera.projection;
    if (projection.kind === 'perspective') {
      const middle = () =>
        middleDistance(camera.transform, camera.near, meshes, instances, (mesh) => this.boundsOf(mesh));
      camera.lens = lensOf(projection.yfov, optics?.lens ?? null, lens, middle);
    }
    return camera;
  }
}

/** Object to world, for a part of a node and each of its copies. */
function placesOf(scene: LoadedScene, index: number, ordinal: number, pose: Pose): Mat4[] {
  const node = scene.nodes[index]!;
  const part = scene.parts[node.parts[ordinal]!]!;
  // Skinned vertices are in world space already; the node's own place does not matter (glTF 2.0, 3.7.3.3).
  if (node.skin >= 0 && part.geometry.joints) return [[...IDENTITY]];
  const world = pose.world[index]!;
  return node.copies ? node.copies.map((copy) => multiply(world, copy)) : [world];
}

/**
 * Whether some surface in use is meant as a lamp: it glows evenly, or brighter than white. A texture that glows (a display,
 * an eye) is decoration, and a scene with nothing else gets the default light.
 */
export function sceneHasLamps(scene: LoadedScene): boolean {
  const isLamp = scene.materials.map(({ emissive, emissiveTexture }) => {
    const brightest = Math.max(...emissive);
    return brightest > 1 || (brightest > 0 && emissiveTexture === null);
  });
  return scene.nodes.some((node) => node.parts.some((part) => isLamp[scene.parts[part]!.material]));
}
