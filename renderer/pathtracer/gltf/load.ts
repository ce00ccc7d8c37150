/** Loads a scene once: everything that does not depend on time. `instantiate.ts` then makes pictures' scenes of it. */
import type { Document, Node } from '@gltf-transform/core';
import type { InstancedMesh, Light } from '@gltf-transform/extensions';
import { FarmError } from '../../../domain/errors.ts';
import type { InspectedFile, InspectedTexture, SceneWarning } from '../../../domain/scene.ts';
import type { SceneFiles } from '../../engine.ts';
import { findEnvironment } from '../environment/find.ts';
import type { EnvironmentMap, SurfaceMaterial, TextureImage } from '../scene/description.ts';
import { readFloats } from './accessors.ts';
import { type Clip, chooseClips, readClips } from './animation.ts';
import { readDocument } from './document.ts';
import { findMainScene, ProjectReader } from './files.ts';
import { type BaseGeometry, isSurface, readPrimitive } from './geometry.ts';
import { checkTextureBudget, decodeTexture, describeTexture } from './images.ts';
import { DEFAULT_MATERIAL, readMaterial, tangentTexCoord, usedTextures } from './materials.ts';
import { compose, type Mat4, type Vec3 } from './matrix.ts';
import { outlineOf, type SceneOutline } from './outline.ts';

/** A node of the scene graph, its resting pose included. */
interface SceneNode {
  name: string;
  /** Index of the parent in `LoadedScene.nodes`, which always comes earlier; -1 for roots. */
  parent: number;
  translation: Vec3;
  rotation: [number, number, number, number];
  scale: Vec3;
  /** Indices into `LoadedScene.parts`. */
  parts: number[];
  /** Index into `LoadedScene.skins`, or -1. */
  skin: number;
  /** Morph weights at rest. */
  weights: number[];
  /** Transforms of EXT_mesh_gpu_instancing, relative to the node, or null for the node alone. */
  copies: Mat4[] | null;
  light: SceneLight | null;
}

/** A primitive: geometry that nodes share. */
export interface ScenePart {
  label: string;
  geometry: BaseGeometry;
  material: number;
}

interface SceneSkin {
  /** Node indices. */
  joints: number[];
  inverseBind: Mat4[];
}

interface SceneLight {
  kind: 'point' | 'spot' | 'directional';
  /** Colour times intensity: candela, or lux for directional lights. */
  intensity: Vec3;
  innerConeAngle: number;
  outerConeAngle: number;
}

export interface SceneCamera {
  /** What people call it: the node's name, else the camera's, else its number. */
  name: string;
  /** The camera object's own name, which is accepted too. */
  alias: string;
  node: number;
  projection: { kind: 'perspective'; yfov: number } | { kind: 'orthographic'; xmag: number; ymag: number };
  aspectRatio: number | null;
  near: number;
}

export interface LoadedScene {
  file: string;
  files: InspectedFile[];
  document: Document;
  /** Tool that wrote the file, and what it says of itself. */
  asset: { generator?: string; extras?: Record<string, unknown> };
  /** What the whole file offers to choose from. */
  outline: SceneOutline;
  nodes: SceneNode[];
  parts: ScenePart[];
  skins: SceneSkin[];
  cameras: SceneCamera[];
  materials: SurfaceMaterial[];
  images: TextureImage[];
  textures: InspectedTexture[];
  /** Clips that play, and those that were left out because they exclude each other. */
  clips: Clip[];
  skippedClips: Clip[];
  environment: EnvironmentMap | null;
  warnings: SceneWarning[];
}

/** Nodes of the chosen scene, parents before children, without recursion: hostile files nest deeply. */
function orderNodes(roots: Node[]): { node: Node; parent: number }[] {
  const ordered: { node: Node; parent: number }[] = [];
  const seen = new Set<Node>();
  const stack = roots.map((node) => ({ node, parent: -1 })).reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (seen.has(next.node)) continue;
    seen.add(next.node);
    const parent = ordered.push(next) - 1;
    for (const node of next.node.listChildren().reverse()) stack.push({ node, parent });
  }
  return ordered;
}

function readLight(node: Node): SceneLight | null {
  const light = node.getExtension<Light>('KHR_lights_punctual');
  if (!light) return null;
  const intensity = light.getColor().map((value) => Math.max(0, value * light.getIntensity())) as Vec3;
  return {
    kind: light.getType(),
    intensity,
    innerConeAngle: light.getInnerConeAngle(),
    outerConeAngle: light.getOuterConeAngle(),
  };
}

function readCopies(node: Node, file: string): Mat4[] | null {
  const instancing = node.getExtension<InstancedMesh>('EXT_mesh_gpu_instancing');
  if (!instancing) return null;
  const use = { file, what: `instances of "${node.getName()}"` };
  const read = (semantic: string, size: number) => {
    const accessor = instancing.getAttribute(semantic);
    if (accessor && accessor.getElementSize() !== size) {
      throw new FarmError('SceneInvalid', `${file}: ${use.what}: ${semantic} has the wrong type`, {
        file,
        node: node.getName(),
      });
    }
    return accessor ? { values: readFloats(accessor, use), count: accessor.getCount() } : null;
  };
  const [t, r, s] = [read('TRANSLATION', 3), read('ROTATION', 4), read('SCALE', 3)];
  const counts = [t, r, s].flatMap((attribute) => (attribute ? [attribute.count] : []));
  if (counts.some((count) => count !== counts[0])) {
    throw new FarmError('SceneInvalid', `${file}: ${use.what} have attributes of different length`, {
      file,
      node: node.getName(),
    });
  }
  return Array.from({ length: counts[0] ?? 0 }, (_, i) =>
    compose(
      t?.values.subarray(i * 3, i * 3 + 3) ?? [0, 0, 0],
      r?.values.subarray(i * 4, i * 4 + 4) ?? [0, 0, 0, 1],
      s?.values.subarray(i * 3, i * 3 + 3) ?? [1, 1, 1],
    ),
  );
}

function readCamera(node: Node, index: number, count: number): SceneCamera | null {
  const camera = node.getCamera();
  if (!camera) return null;
  const alias = camera.getName();
  const orthographic = camera.getType() === 'orthographic';
  return {
    name: node.getName() || alias || `camera ${count + 1}`,
    alias,
    node: index,
    projection: orthographic
      ? { kind: 'orthographic', xmag: Math.abs(camera.getXMag()), ymag: Math.abs(camera.getYMag()) }
      : { kind: 'perspective', yfov: Math.min(Math.max(camera.getYFov(), 1e-4), Math.PI - 1e-4) },
    aspectRatio: orthographic ? null : camera.getAspectRatio(),
    near: Math.max(0, camera.getZNear()),
  };
}

/** Two cameras of one name cannot be told apart on a command line: later ones get a number. */
function makeNamesUnique(cameras: SceneCamera[]): void {
  const used = new Set<string>();
  for (const camera of cameras) {
    const base = camera.name;
    for (let number = 2; used.has(camera.name); number++) camera.name = `${base} (${number})`;
    used.add(camera.name);
  }
}

/**
 * Loads `files.main` (or, when that is empty, the one scene in the folder) with all it refers to. Throws `FileNotFound`,
 * `FileEmpty`, `SceneInvalid`, `SceneUnsupported`, `SceneTooLarge`, `AssetMissing`, `NameInvalid`.
 */
export async function loadScene(files: SceneFiles): Promise<LoadedScene> {
  const reader = new ProjectReader(files.root);
  const file = files.main || (await findMainScene(files.root));
  const { document, json, bufferView, warnings } = await readDocument(reader, file);
  const root = document.getRoot();
  const scene = root.getDefaultScene() ?? root.listScenes()[0];
  if (!scene) throw new FarmError('SceneInvalid', `${file} holds no scene`, { file, pointer: '/scenes' });
  const sceneIndex = root.listScenes().indexOf(scene);

  const ordered = orderNodes(scene.listChildren());
  const indexOf = new Map(ordered.map(({ node }, index) => [node, index] as const));
  const cameras: SceneCamera[] = [];
  ordered.forEach(({ node }, index) => {
    const camera = readCamera(node, index, cameras.length);
    if (camera) cameras.push(camera);
  });
  makeNamesUnique(cameras);

  // Geometry first, so that only materials and textures that surfaces really use are kept.
  const meshes = new Set(ordered.flatMap(({ node }) => node.getMesh() ?? []));
  const materialList = [
    ...new Set([...meshes].flatMap((mesh) => mesh.listPrimitives().flatMap((p) => p.getMaterial() ?? []))),
  ];
  const textureList = usedTextures(materialList);
  const allTextures = root.listTextures();
  const textures = await Promise.all(
    textureList.map((texture) => describeTexture(texture, allTextures.indexOf(texture), file)),
  );
  checkTextureBudget(textures, file);
  const images = await Promise.all(
    textureList.map((texture) => decodeTexture(texture, allTextures.indexOf(texture), file)),
  );
  const materials = materialList.map((material) => readMaterial(material, (texture) => textureList.indexOf(texture)));
  materials.push(DEFAULT_MATERIAL);

  const parts: ScenePart[] = [];
  const partsOfMesh = new Map<object, number[]>();
  let ignoredPrimitives = 0;
  for (const mesh of meshes) {
    const own: number[] = [];
    for (const [index, primitive] of mesh.listPrimitives().entries()) {
      const label = mesh.listPrimitives().length > 1 ? `${mesh.getName()}#${index}` : mesh.getName();
      if (!isSurface(primitive)) {
        ignoredPrimitives++;
        continue;
      }
      const material = primitive.getMaterial();
      const materialIndex = material ? materialList.indexOf(material) : materials.length - 1;
      const geometry = readPrimitive(primitive, file, label, tangentTexCoord(materials[materialIndex]!));
      if (geometry) own.push(parts.push({ label, geometry, material: materialIndex }) - 1);
    }
    partsOfMesh.set(mesh, own);
  }
  if (ignoredPrimitives > 0) {
    warnings.push({
      code: 'FeatureIgnored',
      message: `${ignoredPrimitives} primitives of points or lines have no surface and are left out.`,
    });
  }

  const skinList = [...new Set(ordered.flatMap(({ node }) => (node.getMesh() && node.getSkin()) || []))];
  const skins = skinList.map((skin, index): SceneSkin => {
    const label = skin.getName() || `skin ${index}`;
    const joints = skin.listJoints().map((joint) => {
      const jointIndex = indexOf.get(joint);
      if (jointIndex === undefined) {
        throw new FarmError('SceneInvalid', `${file}: joint "${joint.getName()}" of "${label}" is not in the scene`, {
          file,
          skin: label,
        });
      }
      return jointIndex;
    });
    const accessor = skin.getInverseBindMatrices();
    const matrices = accessor ? readFloats(accessor, { file, what: `inverse bind matrices of "${label}"` }) : null;
    const inverseBind = joints.map((_, joint) =>
      matrices
        ? Array.from(matrices.subarray(joint * 16, joint * 16 + 16))
        : compose([0, 0, 0], [0, 0, 0, 1], [1, 1, 1]),
    );
    return { joints, inverseBind };
  });
  const nodes = ordered.map(({ node, parent }): SceneNode => {
    const mesh = node.getMesh();
    const ownParts = mesh ? partsOfMesh.get(mesh)! : [];
    const skin = mesh && node.getSkin();
    const skinIndex = skin ? skinList.indexOf(skin) : -1;
    for (const part of skinIndex >= 0 ? ownParts : []) checkJoints(parts[part]!, skins[skinIndex]!.joints.length, file);
    return {
      name: node.getName(),
      parent,
      translation: node.getTranslation(),
      rotation: node.getRotation(),
      scale: node.getScale(),
      parts: ownParts,
      skin: skinIndex,
      weights: node.getWeights().length ? node.getWeights() : (mesh?.getWeights() ?? []),
      copies: readCopies(node, file),
      light: readLight(node),
    };
  });
  // Channels may aim at nodes outside the scene; they move nothing that is seen.
  const clips = readClips(root.listAnimations(), (node) => indexOf.get(node) ?? -1, file);
  for (const clip of clips) clip.channels = clip.channels.filter((channel) => channel.node >= 0);
  const { played, skipped } = chooseClips(clips);
  if (skipped.length > 0) {
    const names = skipped
      .slice(0, 3)
      .map((clip) => `"${clip.name}"`)
      .join(', ');
    warnings.push({
      code: 'FeatureIgnored',
      message: `${skipped.length} animation clips move what "${played[0]!.name}" moves and are left out (${names}${skipped.length > 3 ? ', …' : ''}).`,
    });
  }
  const found = await findEnvironment(json, bufferView, sceneIndex, reader, file);
  return {
    file,
    files: reader.files,
    document,
    asset: { generator: json.asset.generator, extras: json.asset.extras as Record<string, unknown> | undefined },
    outline: outlineOf(json),
    nodes,
    parts,
    skins,
    cameras,
    materials,
    images,
    textures,
    clips: played,
    skippedClips: skipped,
    environment: found.environment,
    warnings: [...warnings, ...found.warnings],
  };
}

function checkJoints({ geometry, label }: ScenePart, jointCount: number, file: string): void {
  for (const joint of geometry.joints ?? []) {
    if (joint >= jointCount) {
      throw new FarmError('SceneInvalid', `${file}: "${label}" refers to joint ${joint} of ${jointCount}`, {
        file,
        mesh: label,
      });
    }
  }
}
