/** Shapes of the JSON columns. Each that outlives its row's transaction carries a `formatVersion`. */
import type { ErrorPlace } from '../../domain/errors.ts';
import type { FrameSeconds } from '../../domain/frameSeconds.ts';
import type { Blob, ProjectFile } from '../../domain/projectFiles.ts';
import type { SceneInspection } from '../../domain/scene.ts';
import type { Stage } from '../../domain/statuses.ts';
import { storableJson } from '../../domain/text.ts';

/** A file of a submission or version. */
export type StoredFile = ProjectFile;

/** What a person asked for (`jobs.submission`), before the scene was looked at. Further wishes ride along as they came. */
export interface Submission {
  formatVersion: 1;
  /** Path of the scene file among `files`. */
  main: string;
  files: StoredFile[];
  /** Sizes of the blobs that files name by their parts; absent: every file is a blob. */
  blobs?: Blob[] | undefined;
  /** Frame range as typed; absent: what the animation covers. */
  frames?: string | undefined;
  /** Output name. */
  template: string;
  /** Cap in base units, as a decimal string, that the submit already named. */
  cap?: string | undefined;
  /** False: neither take frames from the frame cache nor keep this job's there. */
  cache?: boolean | undefined;
  /** The studio takes the frames as they come; the job ends when it has acknowledged all. */
  awaitDelivery?: boolean | undefined;
  /** What the scene was found to be when the quote was made, of the scene and variant that this job asks for; see `SeenScene`. */
  seen?: SeenScene | undefined;
  [wish: string]: unknown;
}

/** A job's own view of its version: jobs that choose other scenes of a file share the version's lists of files. */
export type SeenScene = Omit<SceneInspection, 'files' | 'frameFiles' | 'sequence'>;

/** Files of a project version (`project_versions.manifest`). */
export interface VersionManifest {
  formatVersion: 1;
  main: string;
  files: StoredFile[];
  /** As in `Submission`. */
  blobs?: Blob[] | undefined;
}

/** Estimate of `renderer/engine.ts`, as kept with quotes and estimate chunks. */
export interface EstimateDocument {
  secondsPerFrame: number;
  referenceScore: number;
  tracedShare: number;
  /** Absent in what earlier versions wrote. */
  frames?: FrameSeconds[];
  [more: string]: unknown;
}

/** OpenJD-style labels of a node: amounts are numbers, attributes lists of words. */
export type NodeLabels = Record<string, number | string[]>;

/** What a chunk needs of a node (OpenJD `hostRequirements`), matched by the SQL function `farm.meets`. */
export interface HostRequirements {
  amounts?: { name: string; min?: number; max?: number }[];
  attributes?: { name: string; anyOf?: string[]; allOf?: string[] }[];
}

/** A file that a unit made; all lie in the store under `frames/<hash>`. `picture`: only of jobs that choose another format than PNG. */
export interface UnitArtifact {
  kind: 'exr' | 'preview' | 'picture';
  hash: string;
  sizeBytes: number;
}

/** Evidence of what a unit took; never decides its price. */
export interface UnitMeasurements {
  renderSeconds: number;
  samples: number;
  rays: number;
  width: number;
  height: number;
  channels: string[];
  /** Who rendered it: build, tier and device; absent from nodes of an older build. */
  build?: string | undefined;
  tier?: 'cpu' | 'gpu' | undefined;
  device?: string | undefined;
}

/** What a quote takes from the frame cache. */
export interface QuotedCache {
  /** Range of frames; empty for none. */
  frames: string;
  count: number;
  /** Why the cache was not asked; null where it was. */
  note: string | null;
}

export interface UnitWarning {
  code: string;
  message: string;
}

/** A frame that verify refused, kept for good. `nodeId` and `node` say who rendered it. */
export interface UnitRefusal {
  /** ISO 8601. */
  at: string;
  nodeId: string;
  node: string;
  code: string;
  /** What verify found: 'nan', 'size', … */
  reason?: string | undefined;
  message: string;
}

/** What assemble made (`jobs.outputs`); the files lie in the store under `outputs/<hash>`. */
export interface OutputFile {
  hash: string;
  sizeBytes: number;
  name: string;
  contentType: string;
}
export interface JobOutputs {
  manifest?: OutputFile;
  film?: OutputFile;
  contactSheet?: OutputFile;
  [more: string]: OutputFile | undefined;
}

/** A problem as kept in a row: `Problem` of `domain/errors.ts`, whose extra fields follow from the code. */
export interface ProblemDocument {
  code: string;
  message: string;
  place: ErrorPlace;
  [more: string]: unknown;
}

/** Seconds, or start times in ISO 8601, by stage. */
export type ByStage<T> = Partial<Record<Stage, T>>;

/** One unit of an invoice line; `amount` in base units as a decimal string. */
export interface InvoicedUnit {
  unitId: string;
  frame: number;
  take: number;
  tile: number;
  amount: string;
  exrHash: string;
}

/** Text that is JSON: what a jsonb column is written with (node-postgres would send an array as an SQL array). */
export type JsonText = string & { readonly jsonText: never };

/**
 * A value for a jsonb column. Money inside must be decimal strings. Names out of scenes and lines of logs may hold what the
 * column does not take; that is replaced.
 * @throws TypeError for a bigint inside
 */
export const json = (value: unknown): JsonText => {
  const text: string | undefined = JSON.stringify(value);
  // A column that is not named keeps what it has.
  return (text === undefined ? text : storableJson(text)) as JsonText;
};
