/** What intake shows of a scene: counts, cameras, files, and the defaults that rendering will take. */
import type { SceneInspection, SceneWarning } from '../../../domain/scene.ts';
import { worldBounds } from './framing.ts';
import { SceneInstancer, sceneHasLamps } from './instantiate.ts';
import type { LoadedScene } from './load.ts';
import { outlineOf } from './outline.ts';

/** `asset.extras` may state where a shot starts and how fast it runs. */
function finiteExtra(extras: Record<string, unknown>, key: string): number | null {
  const value = extras[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function defaultsTaken(scene: LoadedScene, hasLight: boolean): SceneWarning[] {
  const warnings: SceneWarning[] = [];
  if (scene.parts.length === 0) {
    warnings.push({ code: 'NoSurface', message: 'The scene has no surface; only what lies behind is seen.' });
  }
  if (scene.cameras.length === 0) {
    warnings.push({
      code: 'NoCamera',
      message: 'The scene has no camera; a three-quarter view that frames all of it is used.',
    });
  }
  if (!hasLight) {
    warnings.push({ code: 'NoLight', message: 'The scene has no light; a soft studio environment is used.' });
  }
  return warnings;
}

/** Inspects a loaded scene, its resting pose included. Throws `SceneInvalid` when that is not finite. */
export function inspectScene(scene: LoadedScene, engine: string): SceneInspection {
  const { asset } = scene.json;
  const extras = (asset.extras ?? {}) as Record<string, unknown>;
  const { meshes, instances } = new SceneInstancer(scene).at(0, null, 16 / 9);
  const trianglesOf = (mesh: number): number => meshes[mesh]!.indices.length / 3;
  const animatedNodes = new Set(scene.clips.flatMap((clip) => clip.channels.map((channel) => channel.node)));
  const pointers = scene.clips.flatMap((clip) => clip.channels.flatMap(({ pointer }) => pointer ?? []));
  const isAnimated = ({ node, source }: LoadedScene['cameras'][number]): boolean => {
    if (pointers.some((pointer) => pointer.startsWith(`/cameras/${source}/`))) return true;
    for (let at = node; at >= 0; at = scene.nodes[at]!.parent) if (animatedNodes.has(at)) return true;
    return false;
  };
  const emissive = new Set(
    scene.parts.flatMap((part, index) =>
      scene.materials[part.material]!.emissive.some((value) => value > 0) ? [index] : [],
    ),
  );
  const lights = scene.nodes.filter((node) => node.light >= 0).length;
  const hasLight = scene.environment !== null || lights > 0 || sceneHasLamps(scene);
  return {
    formatVersion: 1,
    engine,
    generator: asset.generator ?? null,
    ...outlineOf(scene.json, scene.file),
    cameras: scene.cameras.map((camera) => ({
      name: camera.name,
      yfov: camera.projection.kind === 'perspective' ? camera.projection.yfov : null,
      aspectRatio: camera.aspectRatio,
      animated: isAnimated(camera),
      lens: camera.lens,
    })),
    animations: [...scene.clips, ...scene.skippedClips].map((clip) => clip.name),
    durationSeconds: Math.max(0, ...scene.clips.map((clip) => clip.duration)),
    fps: finiteExtra(extras, 'fps'),
    start: finiteExtra(extras, 'start'),
    triangles: scene.parts.reduce((sum, part) => sum + part.geometry.indices.length / 3, 0),
    instancedTriangles: instances.reduce((sum, instance) => sum + trianglesOf(instance.mesh), 0),
    meshes: scene.json.meshes?.length ?? 0,
    materials: scene.json.materials?.length ?? 0,
    nodes: scene.json.nodes?.length ?? 0,
    skins: scene.json.skins?.length ?? 0,
    lights,
    emissiveMeshes: emissive.size,
    hasEnvironment: scene.environment !== null,
    textures: scene.textures,
    textureBytes: scene.textures.reduce((sum, texture) => sum + texture.width * texture.height * 4, 0),
    bounds: worldBounds(meshes, instances),
    sequence: null,
    files: scene.files,
    frameFiles: [{ frames: null, files: scene.files.map(({ path }) => path), perFrame: [] }],
    warnings: [...scene.warnings, ...defaultsTaken(scene, hasLight)],
  };
}
