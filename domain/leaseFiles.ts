/** Which files a lease lists: those that its frames read and no others, in the order in which they are needed. */
import type { ProjectFile } from './projectFiles.ts';
import type { RenderSettings, SceneInspection } from './scene.ts';
import { filesOfFrame } from './sceneFrames.ts';

export interface LeaseFiles {
  /** Those that every frame reads first, then frame by frame. */
  files: ProjectFile[];
  /** The first this many of `files` are read by every frame. */
  sharedFiles: number;
  /** For each frame what it reads beside them: positions in `files`. */
  ofFrame: Map<number, number[]>;
}

/**
 * The files of a project that these frames read. A frame of which the inspection says nothing, or names a file that the
 * project does not list, reads everything: better too much than a frame that fails.
 * @param inspection null: not known
 * @param frames at least one, in the order in which they are rendered
 */
export function filesOfLease(
  project: readonly ProjectFile[],
  inspection: Pick<SceneInspection, 'sequence' | 'frameFiles'> | null,
  frames: readonly number[],
  settings: Pick<RenderSettings, 'shutter' | 'output'>,
): LeaseFiles {
  const everything = [...project.keys()];
  const places = new Map(project.map(({ path }, place) => [path, place]));
  const placesOf = (frame: number): number[] => {
    const paths = inspection ? filesOfFrame(inspection, frame, settings) : [];
    const found = paths.flatMap((path) => places.get(path) ?? []);
    return found.length > 0 && found.length === paths.length ? found : everything;
  };
  const distinct = [...new Set(frames)];
  const reads = distinct.map(placesOf);
  const uses = new Map<number, number>();
  for (const place of reads.flat()) uses.set(place, (uses.get(place) ?? 0) + 1);
  const shared = [...uses].filter(([, count]) => count === distinct.length).map(([place]) => place);
  const order = [...new Set([...shared, ...reads.flat()])];
  const position = new Map(order.map((place, index) => [place, index]));
  return {
    files: order.map((place) => project[place]!),
    sharedFiles: shared.length,
    ofFrame: new Map(
      distinct.map((frame, index) => [
        frame,
        reads[index]!.map((place) => position.get(place)!).filter((at) => at >= shared.length),
      ]),
    ),
  };
}
