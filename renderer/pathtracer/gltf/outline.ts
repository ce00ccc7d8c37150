/** What a file offers to choose from, read from its JSON alone: scenes, material variants, extensions. */
import type { GLTF } from '@gltf-transform/core';
import type { SceneInspection } from '../../../domain/scene.ts';
import { readCameras } from './cameras.ts';
import { orderNodes } from './graph.ts';
import { isSupportedExtension } from './validate.ts';

export type SceneOutline = Pick<
  SceneInspection,
  'scenes' | 'defaultScene' | 'sceneCameras' | 'variants' | 'extensions'
>;

/** Names of the material variants that a file offers. */
export function variantNames(json: GLTF.IGLTF): string[] {
  const found = json.extensions?.KHR_materials_variants as { variants?: { name?: string }[] } | undefined;
  return (found?.variants ?? []).map((variant, index) => variant?.name || `variant ${index}`);
}

/** Scenes whose cameras are listed; files with more are made by nobody. */
const MAX_LISTED_SCENES = 64;

/** Reads the outline of a file whose structure was validated. Throws `SceneInvalid` for damaged cameras. */
export function outlineOf(json: GLTF.IGLTF, file: string): SceneOutline {
  const required = new Set(json.extensionsRequired);
  return {
    scenes: (json.scenes ?? []).map(({ name }, index) => name || `scene ${index}`),
    defaultScene: json.scene ?? null,
    sceneCameras: (json.scenes ?? [])
      .slice(0, MAX_LISTED_SCENES)
      .map((_, index) => readCameras(json, orderNodes(json, index), file).map(({ name }) => name)),
    variants: variantNames(json),
    extensions: (json.extensionsUsed ?? []).map((name) => ({
      name,
      required: required.has(name),
      supported: isSupportedExtension(name),
    })),
  };
}
