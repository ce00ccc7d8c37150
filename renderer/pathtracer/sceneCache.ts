/**
 * Keeps the scene that was loaded last. Chunks of one job come one after the other, each with the same files in a folder of
 * its own; parsing, decoding textures and building the BVH again would cost more than a small frame.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SceneFiles } from '../engine.ts';
import { type LoadedScene, loadScene } from './gltf/load.ts';

/** Two projects are the same when they list the same paths and sizes, and the files that the scene read have the same bytes. */
interface Fingerprint {
  listing: string;
  contents: string;
}

export class SceneCache {
  private held: { scene: LoadedScene; fingerprint: Fingerprint } | null = null;

  /** The scene of these files, from memory when it is the one loaded last. Throws as `loadScene`. */
  async load(files: SceneFiles): Promise<LoadedScene> {
    const held = this.held;
    const listing = await listingOf(files);
    if (held && held.fingerprint.listing === listing) {
      if (held.fingerprint.contents === (await contentsOf(files.root, held.scene))) return held.scene;
    }
    // The old one first: two large scenes need not fit at once.
    this.held = null;
    const scene = await loadScene(files);
    this.held = { scene, fingerprint: { listing, contents: await contentsOf(files.root, scene) } };
    return scene;
  }

  clear(): void {
    this.held = null;
  }
}

/** Paths and sizes of all files of a project: a file that appears beside a scene can change it. Missing folders list as empty. */
async function listingOf({ root, main }: SceneFiles): Promise<string> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const lines = await Promise.all(
    entries
      .filter((entry) => !entry.isDirectory())
      .map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        const size = (await stat(path).catch(() => undefined))?.size;
        return `${path.slice(root.length)}\0${size}`;
      }),
  );
  return [main, ...lines.sort()].join('\n');
}

async function contentsOf(root: string, scene: LoadedScene): Promise<string> {
  const hash = createHash('sha256');
  for (const { path } of [...scene.files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${path}\0`);
    await pipeline(createReadStream(join(root, path)), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk as Buffer);
    });
  }
  return hash.digest('hex');
}
