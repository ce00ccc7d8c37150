/**
 * What a frame's bits follow from, as keys of the frame cache. Two halves: what goes in (settings, frame, files) is known
 * when a job is planned; who makes it (engine, build, tier, device) when a node has. Equal keys, equal bits.
 */
import { sha256, toUtf8Bytes } from 'ethers';
import type { ProjectFile } from './projectFiles.ts';
import type { RenderSettings, SceneInspection } from './scene.ts';
import { filesOfFrame } from './sceneFrames.ts';

/** Raised when what a key is made of changes, so that keys of both kinds never meet. */
const KEY_VERSION = 1;

/** Whatever renders: bits are equal for one build on one tier and class of devices. */
export interface FrameMaker {
  engine: string;
  build: string;
  tier: 'cpu' | 'gpu';
  /** As the node names it; counts on the GPU tier only, since WebAssembly gives the same bits everywhere. */
  device: string;
}

export interface FrameInputs {
  /** Path of the scene file. */
  main: string;
  /** Of the project version; those that a frame does not read do not count. */
  files: readonly Pick<ProjectFile, 'path' | 'hash'>[];
  inspection: Pick<SceneInspection, 'sequence' | 'frameFiles'>;
  /** Complete. The tier is left out: which one renders is the maker's half. */
  settings: RenderSettings;
}

/**
 * Digest of all that each frame is made from: its number (random numbers and time follow from it), complete settings, and
 * path and hash of each file that is read for it.
 * @returns SHA-256, lower-case hex, by frame; frames that read a file that is not among `files` are left out
 */
export function frameInputHashes(inputs: FrameInputs, frames: readonly number[]): Map<number, string> {
  const hashes = new Map(inputs.files.map(({ path, hash }) => [path, hash]));
  const digests = frames.map((frame) => {
    return [frame, inputHash(inputs.main, hashes, inputs.inspection, inputs.settings, frame)] as const;
  });
  return new Map(digests.filter((entry): entry is [number, string] => entry[1] !== null));
}

function inputHash(
  main: string,
  hashes: ReadonlyMap<string, string>,
  inspection: FrameInputs['inspection'],
  { tier: _, ...settings }: RenderSettings,
  frame: number,
): string | null {
  // A sequence has no one scene file: each frame reads its own, which is among those of the frame.
  const scene = inspection.sequence?.pattern ?? main;
  const paths = new Set([...(inspection.sequence ? [] : [main]), ...filesOfFrame(inspection, frame, settings)]);
  const reads: [path: string, hash: string][] = [];
  for (const path of [...paths].sort()) {
    const hash = hashes.get(path);
    if (hash === undefined) return null;
    reads.push([path, hash]);
  }
  return digest({ version: KEY_VERSION, scene, frame, settings, reads });
}

/** Key of the frame cache: the frame's inputs and who renders them. SHA-256, lower-case hex. */
export function frameKey({ engine, build, tier, device }: FrameMaker, inputHash: string): string {
  return digest({ version: KEY_VERSION, engine, build, tier, device: tier === 'gpu' ? device : null, inputHash });
}

const digest = (value: unknown): string => sha256(toUtf8Bytes(canonicalJson(value))).slice(2);

/** JSON with the keys of every object sorted, so that equal values give equal text (RFC 8785 but for its number rules). */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
