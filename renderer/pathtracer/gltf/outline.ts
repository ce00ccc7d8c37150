/** What a file offers to choose from, read from its JSON alone: scenes, material variants, extensions. */
import type { GLTF } from '@gltf-transform/core';
import type { SceneInspection } from '../../../domain/scene.ts';
import { isSupportedExtension } from './validate.ts';

export type SceneOutline = Pick<SceneInspection, 'scenes' | 'defaultScene' | 'variants' | 'extensions'>;

/** Reads the outline of a file whose structure was validated. */
export function outlineOf(json: GLTF.IGLTF): SceneOutline {
  const required = new Set(json.extensionsRequired);
  const variants = json.extensions?.KHR_materials_variants as { variants?: { name?: string }[] } | undefined;
  return {
    scenes: (json.scenes ?? []).map(({ name }, index) => name || `scene ${index}`),
    defaultScene: json.scene ?? null,
    variants: (variants?.variants ?? []).map(({ name }, index) => name || `variant ${index}`),
    extensions: (json.extensionsUsed ?? []).map((name) => ({
      name,
      required: required.has(name),
      supported: isSupportedExtension(name),
    })),
  };
}
