/** What the denoiser is measured on: a textured table with glass and metal, and the scenes of the comparison with Mitsuba. */
import { join } from 'node:path';
import { buildDemoShot } from '../../../renderer/demo/demoShot.ts';
import { SceneInstancer } from '../../../renderer/pathtracer/gltf/instantiate.ts';
import { loadScene } from '../../../renderer/pathtracer/gltf/load.ts';
import type { SceneDescription } from '../../../renderer/pathtracer/scene/description.ts';
import { REFERENCE_SCENES } from '../../reference/scenes.ts';

/** Makes a scene for pictures of an aspect, or null where its file is not at hand; `folder` is for its files. */
type SceneBuilder = (folder: string, aspect: number) => Promise<SceneDescription | null>;

function fromReference(name: string): SceneBuilder {
  const scene = REFERENCE_SCENES.find((known) => known.name === name);
  if (!scene) throw new Error(`the reference scene ${name} is not there`);
  return scene.build;
}

/** Half a second into the demo shot. */
const demoShot: SceneBuilder = async (folder, aspect) => {
  await buildDemoShot(join(folder, 'demo.glb'));
  return new SceneInstancer(await loadScene({ root: folder, main: 'demo.glb' })).at(0.5, null, aspect);
};

/** The denoiser's constants were chosen on the first four; the others are there to tell whether they hold elsewhere. */
export const DENOISE_SCENES: Readonly<Record<string, SceneBuilder>> = {
  demo: demoShot,
  ...Object.fromEntries(
    ['box', 'glass', 'damaged-helmet', 'metals', 'plastics', 'lamps', 'robot-walk'].map((name) => [
      name,
      fromReference(name),
    ]),
  ),
};
