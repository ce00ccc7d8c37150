/** A loaded scene at one time, through one camera: what the tracer gets. */
import { FarmError } from '../../../domain/errors.ts';
import { studioEnvironment } from '../environment/studio.ts';
import type {
  MeshGeometry,
  MeshInstance,
  PunctualLight,
  SceneDescription,
  TracerCamera,
} from '../scene/description.ts';
import { morph, skin } from './deform.ts';
import { frameScene } from './framing.ts';
import type { LoadedScene, SceneCamera, ScenePart } from './load.ts';
import {
  IDENTITY,
  isFiniteMatrix,
  type Mat4,
  multiply,
  normalize,
  transformDirection,
  type Vec3,
  withoutScale,
} from './matrix.ts';
import { type Pose, poseAt } from './pose.ts';

/**
 * Makes scene descriptions of one loaded scene. Keeps what does not change from frame to frame, so that the tracer keeps
 * its BVHs: a mesh gets a new `revision` only when its vertices really moved.
 */
export class SceneInstancer {
  private readonly scene: LoadedScene;
  /** Meshes that nodes share, by part. */
  private readonly rigid: (MeshGeometry | undefined)[];
  /** Skinned and morphed meshes, by node and part, with what they were made from. */
  private readonly deformed = new Map<string, { geometry: MeshGeometry; key: string }>();
  private nextId = 0;

  constructor(scene: LoadedScene) {
    this.scene = scene;
    this.rigid = new Array(scene.parts.length);
  }

  /** The camera that a name means. Throws `CameraUnknown`, listing those that exist; null when the scene has none. */
  chooseCamera(name: string | null): SceneCamera | null {
    return chooseCamera(this.scene, name);
  }

  /** The scene at `time` seconds. `aspect` is the picture's width over height. */
  at(time: number, camera: string | null, aspect: number): SceneDescription {
    const { scene } = this;
    const chosen = chooseCamera(scene, camera);
    const pose = poseAt(scene, time);
    const meshes: MeshGeometry[] = [];
    const meshIndex = new Map<number, number>();
    const instances: MeshInstance[] = [];
    const lights: PunctualLight[] = [];
    scene.nodes.forEach((node, index) => {
      const world = pose.world[index]!;
      if (node.light) lights.push(placeLight(node.light, world));
      for (const partIndex of node.parts) {
        const part = scene.parts[partIndex]!;
        const geometry = this.geometryFor(index, partIndex, part, pose);
        let mesh = meshIndex.get(geometry.id);
        if (mesh === undefined) {
          mesh = meshes.push(geometry) - 1;
          meshIndex.set(geometry.id, mesh);
        }
        const skinned = node.skin >= 0 && part.geometry.joints !== null;
        // Skinned vertices are in world space already; the node's own place does not matter (glTF 2.0, 3.7.3.3).
        const places = skinned
          ? [[...IDENTITY]]
          : node.copies
            ? node.copies.map((copy) => multiply(world, copy))
            : [world];
        for (const place of places) {
          this.checkTransform(place, node.name);
          instances.push({ mesh, transform: Float32Array.from(place), name: node.name || part.label });
        }
      }
    });
    const environment = scene.environment ?? (this.hasLight(lights) ? null : studioEnvironment());
    return {
      meshes,
      instances,
      materials: scene.materials,
      images: scene.images,
      lights,
      environment,
      camera: chosen ? placeCamera(chosen, pose, aspect) : frameScene(meshes, instances, aspect),
    };
  }

  private hasLight(lights: PunctualLight[]): boolean {
    return lights.length > 0 || sceneHasLamps(this.scene);
  }

  private checkTransform(transform: Mat4, name: string): void {
    if (!isFiniteMatrix(transform)) {
      throw new FarmError('SceneInvalid', `${this.scene.file}: the place of node "${name}" is not finite`, {
        file: this.scene.file,
        node: name,
      });
    }
  }

  private geometryFor(nodeIndex: number, partIndex: number, part: ScenePart, pose: Pose): MeshGeometry {
    const node = this.scene.nodes[nodeIndex]!;
    const skinOf = node.skin >= 0 && part.geometry.joints ? this.scene.skins[node.skin]! : null;
    const isMorphed = part.geometry.targets.length > 0;
    if (!skinOf && !isMorphed) {
      let geometry = this.rigid[partIndex];
      if (!geometry) {
        geometry = { id: this.nextId++, revision: 0, ...verticesOf(part), ...attributesOf(part) };
        this.rigid[partIndex] = geometry;
      }
      return geometry;
    }
    const weights = pose.weights[nodeIndex]!;
    const joints = skinOf?.joints.map((joint, k) => multiply(pose.world[joint]!, skinOf.inverseBind[k]!)) ?? null;
    const key = JSON.stringify([isMorphed ? weights : null, joints]);
    const slot = `${nodeIndex}/${partIndex}`;
    const known = this.deformed.get(slot);
    if (known?.key === key) return known.geometry;
    for (const joint of joints ?? []) this.checkTransform(joint, node.name);
    const morphed = isMorphed ? morph(part.geometry, weights) : verticesOf(part);
    const vertices = joints ? skin(part.geometry, morphed, joints) : morphed;
    const geometry: MeshGeometry = {
      id: known?.geometry.id ?? this.nextId++,
      revision: (known?.geometry.revision ?? -1) + 1,
      ...vertices,
      ...attributesOf(part),
    };
    this.deformed.set(slot, { geometry, key });
    return geometry;
  }
}

const verticesOf = ({ geometry: { positions, normals, tangents } }: ScenePart) => ({ positions, normals, tangents });

const attributesOf = ({ geometry: { uv0, uv1, colors, indices }, material }: ScenePart) => ({
  uv0,
  uv1,
  colors,
  indices,
  material,
});

/**
 * Whether some surface in use is meant as a lamp: it glows evenly, or brighter than white. A texture that glows (a display,
 * an eye) is decoration, and a scene with nothing else gets the default light.
 */
export function sceneHasLamps(scene: LoadedScene): boolean {
  return scene.nodes.some((node) =>
    node.parts.some((part) => {
      const { emissive, emissiveTexture } = scene.materials[scene.parts[part]!.material]!;
      const brightest = Math.max(...emissive);
      return brightest > 1 || (brightest > 0 && emissiveTexture === null);
    }),
  );
}

/** The camera that a name means: node name first, then the camera object's. Null takes the first one, if any. */
export function chooseCamera(scene: LoadedScene, name: string | null): SceneCamera | null {
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

function placeCamera(camera: SceneCamera, pose: Pose, aspect: number): TracerCamera {
  const transform = Float32Array.from(withoutScale(pose.world[camera.node]!));
  if (camera.projection.kind === 'orthographic') {
    const { xmag, ymag } = camera.projection;
    // What was framed stays in the picture when the picture is narrower than the camera.
    return { transform, projection: { kind: 'orthographic', ymag: Math.max(ymag, xmag / aspect) }, near: camera.near };
  }
  let { yfov } = camera.projection;
  if (camera.aspectRatio !== null && aspect < camera.aspectRatio) {
    yfov = 2 * Math.atan((Math.tan(yfov / 2) * camera.aspectRatio) / aspect);
  }
  return { transform, projection: { kind: 'perspective', yfov }, near: camera.near };
}

function placeLight(light: NonNullable<LoadedScene['nodes'][number]['light']>, world: Mat4): PunctualLight {
  const position: Vec3 = [world[12]!, world[13]!, world[14]!];
  // Lights shine down their -Z, unscaled (KHR_lights_punctual).
  const direction = normalize(transformDirection(world, 0, 0, -1));
  const { intensity, innerConeAngle, outerConeAngle } = light;
  if (light.kind === 'point') return { kind: 'point', position, intensity };
  if (light.kind === 'directional') return { kind: 'directional', direction, intensity };
  return { kind: 'spot', position, direction, intensity, innerConeAngle, outerConeAngle };
}
