/** The manifest of a delivery: every file with hash and size, how it was made, and by whom. */
import type { RenderSettings } from '../../domain/scene.ts';
import { completeSettings } from '../../domain/settings.ts';
import type { JobOutputs, OutputFile, UnitWarning } from '../../ports/db/documents.ts';
import type { Delivery } from './deliveredFrames.ts';

interface ManifestFile {
  /** Relative path, forward slashes. */
  path: string;
  sha256: string;
  sizeBytes: number;
}

export interface DeliveryManifest {
  formatVersion: 1;
  farm: { name: 'framewright'; version: string };
  job: { id: string; name: string; version: number; frames: string; frameCount: number; acceptedAt: string | null };
  settings: RenderSettings;
  /** What was rendered. */
  project: { main: string; files: ManifestFile[] };
  frames: {
    unitId: string;
    layer: string;
    frame: number;
    take: number;
    tile: number;
    exr: ManifestFile;
    preview: ManifestFile;
    /** In the format that the settings choose; null where that is the preview's. */
    picture: ManifestFile | null;
    channels: string[];
    /** Base units of CMP. */
    price: string;
    /** From the frame cache, not billed; `node` rendered it for an earlier job. */
    cached: boolean;
    renderSeconds: number;
    samples: number;
    rays: number;
    warnings: UnitWarning[];
    committedAt: string;
    node: string;
  }[];
  nodes: {
    name: string;
    account: string;
    device: string;
    engineBuild: string;
    frames: number;
    renderSeconds: number;
  }[];
  outputs: { kind: string; file: ManifestFile }[];
}

/** Makes it. The same delivery gives the same bytes, whenever it is made. */
export function makeManifest(delivery: Delivery, outputs: JobOutputs | null, farmVersion: string): DeliveryManifest {
  const { job, version, files, frames } = delivery;
  const others = Object.entries(outputs ?? {}).filter((entry): entry is [string, OutputFile] => {
    return entry[0] !== 'manifest' && entry[1] !== undefined;
  });
  return {
    formatVersion: 1,
    farm: { name: 'framewright', version: farmVersion },
    job: {
      id: job.id,
      name: job.name,
      version,
      frames: job.frames ?? '',
      frameCount: job.frameCount ?? 0,
      acceptedAt: job.acceptedAt?.toISOString() ?? null,
    },
    settings: completeSettings(job.settings),
    project: {
      main: job.submission.main,
      files: files.map(({ path, hash, sizeBytes }) => ({ path, sha256: hash, sizeBytes })),
    },
    frames: frames.map(({ unitId, layer, frame, take, tile, name, exr, preview, picture, measurements, ...rest }) => ({
      ...{ unitId, layer, frame, take, tile },
      exr: { path: name, sha256: exr.hash, sizeBytes: exr.sizeBytes },
      preview: { path: previewName(name), sha256: preview.hash, sizeBytes: preview.sizeBytes },
      picture: picture && { path: picture.name, sha256: picture.hash, sizeBytes: picture.sizeBytes },
      channels: measurements.channels,
      price: rest.price.toString(),
      cached: rest.cached,
      renderSeconds: measurements.renderSeconds,
      samples: measurements.samples,
      rays: measurements.rays,
      warnings: rest.warnings,
      committedAt: rest.committedAt.toISOString(),
      node: rest.node.name,
    })),
    nodes: nodesOf(delivery),
    outputs: others.map(([kind, { name, hash, sizeBytes }]) => ({
      kind,
      file: { path: name, sha256: hash, sizeBytes },
    })),
  };
}

/** `shot.0001.exr` has its preview at `shot.0001.png`. */
const previewName = (name: string): string => name.replace(/(\.exr)?$/, '.png');

/** Who rendered for this job. */
function nodesOf({ frames }: Delivery): DeliveryManifest['nodes'] {
  const nodes = new Map<string, DeliveryManifest['nodes'][number]>();
  for (const { node, measurements, cached } of frames) {
    if (cached) continue;
    const { name, account, device, engineBuild } = node;
    const entry = nodes.get(name) ?? { name, account, device, engineBuild, frames: 0, renderSeconds: 0 };
    entry.frames += 1;
    entry.renderSeconds += measurements.renderSeconds;
    nodes.set(name, entry);
  }
  return [...nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
