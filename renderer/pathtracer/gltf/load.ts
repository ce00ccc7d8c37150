/** Loads a scene once: everything that does not depend on time. `instantiate.ts` then makes pictures' scenes of it. */
import type { Document, GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';
import type { InspectedFile, InspectedTexture, SceneWarning } from '../../../domain/scene.ts';
import type { SceneChoice, SceneFiles } from '../../engine.ts';
import { findEnvironment } from '../environment/find.ts';
import type { EnvironmentMap, SurfaceMaterial, TextureImage } from '../scene/description.ts';
import { type Clip, chooseClips, readClips } from './animation.ts';
import { readCameras, type SceneCamera } from './cameras.ts';
import type { ContentStore } from './contentStore.ts';
import { readDocument } from './document.ts';
import { findMainScene, ProjectReader } from './files.ts';
import { chooseScene, orderNodes } from './graph.ts';
import { readLights, type SceneLight } from './lights.ts';
import { readParts, type ScenePart, type SceneParts } from './parts.ts';
import { PointerTargets } from './pointers.ts';
import { readNode, readSkin, type SceneNode, type SceneSkin } from './sceneNodes.ts';

export interface LoadedScene {
  file: string;
  files: InspectedFile[];
  document: Document;
  json: GLTF.IGLTF;
  /** Index of the scene in the file. */
  sceneIndex: number;
  nodes: SceneNode[];
  parts: ScenePart[];
  skins: SceneSkin[];
  cameras: SceneCamera[];
  lights: SceneLight[];
  materials: SurfaceMaterial[];
  images: TextureImage[];
  textures: InspectedTexture[];
  /** Clips that play, and those that were left out because they exclude each other. */
  clips: Clip[];
  skippedClips: Clip[];
  environment: EnvironmentMap | null;
  /** The environment as pointers set it. */
  readEnvironment: () => EnvironmentMap | null;
  /** Materials that pointers animate, by index in `materials`, with how to read them once their document is set. */
  animatedMaterials: { index: number; read: () => SurfaceMaterial }[];
  warnings: SceneWarning[];
}

/** The scene that the file itself chooses, in its own materials. */
export const OWN_CHOICE: SceneChoice = { scene: null, variant: null };

/**
 * Loads `files.main` (or, when that is empty, the one scene in the folder) with all it refers to. `store` keeps what the
 * files of a sequence share. Throws `FileNotFound`, `FileEmpty`, `SceneAmbiguous`, `SceneInvalid`, `EnvironmentInvalid`, `SceneUnsupported`, `SceneTooLarge`,
 * `AssetMissing`, `NameInvalid`, `SettingInvalid`.
 */
export async function loadScene(
  files: SceneFiles,
  choice: SceneChoice = OWN_CHOICE,
  store: ContentStore | null = null,
): Promise<LoadedScene> {
  const reader = new ProjectReader(files.root);
  const file = files.main || (await findMainScene(files.root));
  const { document, accessors, json, bufferView, warnings } = await readDocument(reader, file);
  const root = document.getRoot();
  const sceneIndex = chooseScene(json, choice.scene, file);
  const ordered = orderNodes(json, sceneIndex);
  const nodeIndex = new Map(ordered.map(({ source }, index) => [source, index] as const));
  const inScene = ordered.map(({ source }) => json.nodes![source]!);
  const cameras = readCameras(json, ordered, file);
  const lights = readLights(json, file);

  const meshes = [...new Set(inScene.flatMap(({ mesh }) => mesh ?? []))];
  const surfaces = await readParts(root, json, meshes, choice.variant, file, store);
  const { parts, materials, images, textures, partsOfMesh } = surfaces;
  const skinSources = [...new Set(inScene.flatMap(({ mesh, skin }) => (mesh === undefined ? [] : (skin ?? []))))];
  const skins = skinSources.map((source) => readSkin(source, nodeIndex, { json, accessors, file }));
  const skinIndex = new Map(skinSources.map((source, index) => [source, index] as const));
  const context = { json, accessors, file, lightCount: lights.length, partsOfMesh, skinIndex };
  const nodes = ordered.map((place) => readNode(place, context));
  for (const { skin, parts: used } of nodes) {
    for (const part of skin < 0 ? [] : used) checkJoints(parts[part]!, skins[skin]!.joints.length, file);
  }

  const targets = new PointerTargets({
    json,
    materials: root.listMaterials(),
    nodeIndex,
    isMaterialUsed: (source) => surfaces.indexOfMaterial(source) >= 0,
  });
  const { clips, warnings: pointerWarnings } = readClips({ json, accessors, nodeIndex, targets, file });
  const { played, skipped } = chooseClips(clips);
  const found = await findEnvironment({ json, bufferView, sceneIndex, reader, file, store });
  return {
    ...{ file, files: reader.files, document, json, sceneIndex },
    ...{ nodes, parts, skins, cameras, lights, materials, images, textures },
    clips: played,
    skippedClips: skipped,
    environment: found.environment,
    readEnvironment: found.readEnvironment,
    animatedMaterials: [...targets.materials].map((source) => ({
      index: surfaces.indexOfMaterial(source),
      read: () => surfaces.rereadMaterial(source),
    })),
    warnings: [
      ...warnings,
      ...partWarnings(surfaces),
      ...pointerWarnings,
      ...clipWarnings(played, skipped),
      ...found.warnings,
    ],
  };
}

function partWarnings({ ignoredPrimitives, unreadSets }: SceneParts): SceneWarning[] {
  const messages: string[] = [];
  if (ignoredPrimitives > 0) {
    messages.push(
      ignoredPrimitives === 1
        ? '1 primitive of points or lines has no surface and is left out.'
        : `${ignoredPrimitives} primitives of points or lines have no surface and are left out.`,
    );
  }
  if (unreadSets.length > 0) {
    const names = `${unreadSets.slice(0, 3).join(', ')}${unreadSets.length > 3 ? ', …' : ''}`;
    messages.push(`Textures (${names}) follow TEXCOORD_2 or later; they follow TEXCOORD_0 instead.`);
  }
  return messages.map((message) => ({ code: 'FeatureIgnored', message }));
}

function clipWarnings(played: Clip[], skipped: Clip[]): SceneWarning[] {
  if (skipped.length === 0) return [];
  const names = skipped.slice(0, 3).map(({ name }) => `"${name}"`);
  const list = `${names.join(', ')}${skipped.length > 3 ? ', …' : ''}`;
  const message = `${skipped.length} animation clips move what "${played[0]!.name}" moves and are left out (${list}).`;
  return [{ code: 'FeatureIgnored', message }];
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
