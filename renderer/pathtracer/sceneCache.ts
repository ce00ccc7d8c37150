/**
 * Keeps the scenes that were loaded last. Chunks of one job come one after the other, each with the same files in a folder
 * of its own; parsing, decoding textures and building the BVH again would cost more than a small frame.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SceneChoice, SceneFiles } from '../engine.ts';
import { ContentStore } from './gltf/contentStore.ts';
import { type LoadedScene, loadScene, OWN_CHOICE } from './gltf/load.ts';

interface HeldScene {
  scene: LoadedScene;
  /** Two projects are the same when they list the same paths and sizes, and the files that the scene read have the same bytes. */
  listing: string;
}

export interface CacheOptions {
  /** Scenes to hold at a time: two for sequences, whose next frame shows what moves. */
  hold?: number;
  /** Paths (relative to the root) that cannot change this scene, though they lie beside it: other frames' files. */
  ignores?: (path: string) => boolean;
}

export class SceneCache {
  /** Pictures, geometry and mesh numbers that scenes of this cache share. */
  readonly store = new ContentStore();
  /** Latest last. */
  private held: HeldScene[] = [];
  private readonly contents = new WeakMap<LoadedScene, string>();

  /** The scene of these files, from memory when it is held. Throws as `loadScene`. */
  async load(
    files: SceneFiles,
    choice: SceneChoice = OWN_CHOICE,
    { hold = 1, ignores = () => false }: CacheOptions = {},
  ): Promise<LoadedScene> {
    const listing = await listingOf(files, choice, ignores);
    for (const entry of this.held) {
      const { scene } = entry;
      if (entry.listing !== listing || this.contentsOf(scene) !== (await hashFiles(files.root, scene))) continue;
      this.held = [...this.held.filter((other) => other !== entry), entry];
      return scene;
    }
    // The oldest first: more large scenes than are wanted need not fit at once.
    this.held = hold > 1 ? this.held.slice(1 - hold) : [];
    this.store.nextFile();
    try {
      const scene = await loadScene(files, choice, hold > 1 ? this.store : null);
      this.contents.set(scene, await hashFiles(files.root, scene));
      this.held.push({ scene, listing });
      return scene;
    } catch (error) {
      this.clear();
      throw error;
    }
  }

  /** SHA-256 over the paths and bytes of the files that a scene of this cache was read from. */
  contentsOf(scene: LoadedScene): string {
    return this.contents.get(scene)!;
  }

  clear(): void {
    this.held = [];
  }
}

/** Paths and sizes of all files of a project: a file that appears beside a scene can change it. Missing folders list as empty. */
async function listingOf(
  { root, main }: SceneFiles,
  choice: SceneChoice,
  ignores: (path: string) => boolean,
): Promise<string> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const lines = await Promise.all(
    entries
      .filter((entry) => !entry.isDirectory())
      .map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        const relative = path.slice(root.length + 1);
        if (ignores(relative)) return [];
        return [`${relative}\0${(await stat(path).catch(() => undefined))?.size}`];
      }),
  );
  return [JSON.stringify([main, choice.scene, choice.variant]), ...lines.flat().sort()].join('\n');
}

async function hashFiles(root: string, scene: LoadedScene): Promise<string> {
  const hash = createHash('sha256');
  for (const { path } of [...scene.files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${path}\0`);
    await pipeline(createReadStream(join(root, path)), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk as Buffer);
    });
  }
  return hash.digest('hex');
}
