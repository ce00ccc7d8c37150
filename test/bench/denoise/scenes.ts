/** What the denoiser is measured on: a textured table with glass and metal, and a closed box that only a lamp lights. */
import { join } from 'node:path';
import { buildDemoShot } from '../../../renderer/demo/demoShot.ts';
import { SceneInstancer } from '../../../renderer/pathtracer/gltf/instantiate.ts';
import { loadScene } from '../../../renderer/pathtracer/gltf/load.ts';
import type { SceneDescription } from '../../../renderer/pathtracer/scene/description.ts';
import { REFERENCE_SCENES } from '../../reference/scenes.ts';

/** Makes a scene for pictures of an aspect; `folder` is for its files. */
type SceneBuilder = (folder: string, aspect: number) => Promise<SceneDescription>;

function fromReference(name: string): SceneBuilder {
  return async (folder, aspect) => {
    const scene = await REFERENCE_SCENES.find((known) => known.name === name)?.build(folder, aspect);
    if (!scene) throw new Error(`the reference scene ${name} is not there`);
    return scene;
  };
}

/** Half a second into the demo shot. */
const demoShot: SceneBuilder = async (folder, aspect) => {
  await buildDemoShot(join(folder, 'demo.glb'));
  return new SceneInstancer(await loadScene({ root: folder, main: 'demo.glb' })).at(0.5, null, aspect);
};

export const DENOISE_SCENES: Readonly<Record<string, SceneBuilder>> = { demo: demoShot, box: fromReference('box') };
