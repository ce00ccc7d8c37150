/**
 * A shot as frames: one animated file, or a sequence of one file a frame. Everything that the settings choose about the
 * scene (scene, variant, camera, lens, shutter) is applied here, for every technique.
 */
import { createHash } from 'node:crypto';
import { frameTime } from '../../domain/frames.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import type { SceneFiles } from '../engine.ts';
import { chooseCamera } from './gltf/cameras.ts';
import { SceneInstancer } from './gltf/instantiate.ts';
import type { LoadedScene } from './gltf/load.ts';
import { findSequence, requireFrames, type SceneSequence } from './gltf/sequence.ts';
import { framesNamed, sequenceFile } from './gltf/sequenceNames.ts';
import type { SceneDescription } from './scene/description.ts';
import type { SceneCache } from './sceneCache.ts';

export class Shot {
  private readonly cache: SceneCache;
  private readonly files: SceneFiles;
  private readonly settings: RenderSettings;
  private readonly sequence: SceneSequence | null;
  private recent: ReadonlyMap<string, LoadedScene> = new Map();
  private readonly instancers = new WeakMap<LoadedScene, SceneInstancer>();

  private constructor(cache: SceneCache, files: SceneFiles, settings: RenderSettings, sequence: SceneSequence | null) {
    this.cache = cache;
    this.files = files;
    this.settings = settings;
    this.sequence = sequence;
  }

  /**
   * Opens a shot for these frames and loads the first of them. Throws as `loadScene`, `CameraUnknown`, and `AssetMissing`
   * for a frame of a sequence that has no file.
   */
  static async open(
    cache: SceneCache,
    files: SceneFiles,
    settings: RenderSettings,
    frames: readonly number[],
  ): Promise<Shot> {
    const sequence = await findSequence(files);
    if (sequence) requireFrames(sequence, frames);
    const shot = new Shot(cache, files, settings, sequence);
    chooseCamera(await shot.sceneOf(frames[0] ?? settings.start), settings.camera);
    return shot;
  }

  /** Name of the camera that a frame is seen through; null for the default view. */
  async cameraName(frame: number): Promise<string | null> {
    return chooseCamera(await this.sceneOf(frame), this.settings.camera)?.name ?? null;
  }

  /** What people should know of the file that shows a frame. */
  async warnings(frame: number): Promise<string[]> {
    return (await this.sceneOf(frame)).warnings.map(({ message }) => message);
  }

  /** The scene of a frame, with the next frame's poses when shutter or layers need them. */
  async at(frame: number): Promise<SceneDescription> {
    const { fps, start, camera, width, height, lens, shutter } = this.settings;
    const { scene, nextScene } = await this.scenesOf(frame);
    const motion = this.needsMotion() ? { shutter, nextTime: frameTime(frame + 1, fps, start), nextScene } : null;
    return this.instancerOf(scene).at(frameTime(frame, fps, start), camera, width / height, { lens, motion });
  }

  /** SHA-256 over the paths and bytes of the files that a frame is made of. */
  async inputs(frame: number): Promise<string> {
    const { scene, nextScene } = await this.scenesOf(frame);
    const contents = [scene, ...(nextScene ? [nextScene] : [])].map((read) => this.cache.contentsOf(read));
    return createHash('sha256').update(contents.join()).digest('hex');
  }

  private needsMotion(): boolean {
    return this.settings.shutter > 0 || this.settings.output.layers.includes('motion');
  }

  /** The frame's scene, and the next frame's where that is another file and something moves. */
  private async scenesOf(frame: number): Promise<{ scene: LoadedScene; nextScene: LoadedScene | null }> {
    const scene = await this.sceneOf(frame);
    const hasNext = this.sequence?.frames.includes(frame + 1) ?? false;
    return { scene, nextScene: this.needsMotion() && hasNext ? await this.sceneOf(frame + 1) : null };
  }

  /** Asks the cache, which compares files by their bytes, once a frame only. */
  private async sceneOf(frame: number): Promise<LoadedScene> {
    const { files, settings, sequence } = this;
    const main = sequence ? sequenceFile(sequence.pattern, frame) : files.main;
    const known = this.recent.get(main);
    if (known) return known;
    const isOtherFrame = (path: string): boolean =>
      sequence !== null && path !== main && framesNamed(sequence.pattern, [path]).length > 0;
    const options = sequence ? { hold: 2, ignores: isOtherFrame } : {};
    const scene = await this.cache.load({ root: files.root, main }, settings, options);
    // This frame and the next; more would keep in memory what the cache has let go.
    this.recent = new Map([...[...this.recent].slice(-1), [main, scene] as const]);
    return scene;
  }

  private instancerOf(scene: LoadedScene): SceneInstancer {
    let instancer = this.instancers.get(scene);
    if (!instancer) {
      instancer = new SceneInstancer(scene, this.cache.store);
      this.instancers.set(scene, instancer);
    }
    return instancer;
  }
}
