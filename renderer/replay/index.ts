/** The list of frames that a replay engine holds, as it lies in their folder. */

/** One frame that was traced beforehand. */
export interface ReplayFrame {
  frame: number;
  /** File names in the index's folder: the EXR, and a PNG of it as large as its maker pleased. */
  exr: string;
  preview: string;
  /** Of the EXR; the hash comes with the frame, as from a tracer that makes it while it writes. */
  sizeBytes: number;
  hash: string;
  width: number;
  height: number;
  channels: string[];
  samples: number;
  rays: number;
}

export interface ReplayIndex {
  formatVersion: 1;
  /** Build of the engine that traced them. */
  engineBuild: string;
  frames: ReplayFrame[];
}

/** Name of the index in its folder. */
export const replayIndexFile = 'frames.json';
