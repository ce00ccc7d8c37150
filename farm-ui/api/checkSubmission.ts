/** All that can be known to be wrong with a submission before a byte of it is sent. */
import type { z } from 'zod';
import { FarmError } from '../../domain/errors.ts';
import { parseFrames } from '../../domain/frames.ts';
import { checkProjectPaths } from '../../domain/paths.ts';
import type { PlacementWish } from '../../domain/placement.ts';
import { type Blob, blobsOfFiles } from '../../domain/projectFiles.ts';
import { checkRequestedSettings, type RequestedSettings } from '../../domain/settings.ts';
import { DEFAULT_TEMPLATE, parseTemplate } from '../../domain/template.ts';
import type { StoredFile } from '../../ports/db/documents.ts';
import type { JobCheck, JobRequest, submittedFile } from './schema/api.ts';

/** S3 takes no larger object in one PUT. */
const LARGEST_BLOB_BYTES = 5 * 2 ** 30;
/** Blobs that files share or are cut into are held in memory when files are put together again. */
const LARGEST_PARTED_BLOB_BYTES = 64 * 2 ** 20;

export interface CheckedWishes {
  name: string;
  /** Path in normal form, of a file that is there. */
  main: string;
  /** In normal form, in the order of the request. */
  paths: string[];
  template: string;
  /** As typed. */
  frames: string | undefined;
  parsedFrames: readonly number[] | undefined;
  /** Only what was asked for; the rest comes from the scene. */
  settings: RequestedSettings;
  priority: number | undefined;
  cap: string | undefined;
  /** False: leave the frame cache alone. */
  cache: boolean | undefined;
  /** The studio takes the frames as they come. */
  awaitDelivery: boolean | undefined;
  /** Where it may be rendered; `requirePlaces` looks whether such sites are there. */
  placement: PlacementWish | undefined;
}

export interface CheckedSubmission extends CheckedWishes {
  files: StoredFile[];
  /** As the submission keeps them; undefined when every file is a blob. */
  blobs: Blob[] | undefined;
  /** The blobs that the files are made of, each once. */
  named: Blob[];
}

/** Names and settings. @throws FarmError with the code of the mistake */
export function checkWishes(request: JobCheck): CheckedWishes {
  const paths = checkProjectPaths(request.files.map(({ path }) => path));
  const main = request.main.normalize('NFC');
  const scene = request.files[paths.indexOf(main)];
  if (!scene) throw new FarmError('FileNotFound', `"${main}" is not among the files.`, { path: main });
  if (scene.sizeBytes === 0) throw new FarmError('FileEmpty', `"${main}" is empty.`, { path: main });
  if (!/\.(gltf|glb)$/i.test(main)) {
    throw new FarmError('SceneUnsupported', `"${main}" is neither .glb nor .gltf.`, { path: main });
  }
  const { name, main: _, files: __, template: asked, priority, cap, cache, placement, frames, ...rest } = request;
  const { awaitDelivery, ...settings } = rest;
  checkRequestedSettings({ ...settings, frames });
  const template = asked ?? DEFAULT_TEMPLATE;
  parseTemplate(template);
  if (cap === '0') throw new FarmError('CapTooSmall', 'A cap of 0 pays for nothing.', { field: 'cap' });
  const parsedFrames = frames === undefined ? undefined : parseFrames(frames);
  const wishes = { settings, priority, cap, cache, awaitDelivery, placement };
  return { name, main, paths, template, frames, parsedFrames, ...wishes };
}

/** The whole request. @throws FarmError with the code of the mistake */
export function checkSubmission({ blobs, ...request }: JobRequest): CheckedSubmission {
  const wishes = checkWishes(request);
  const sizes = sizesByHash(blobs ?? []);
  const files = request.files.map((file, index) => checkFile({ ...file, path: wishes.paths[index]! }, sizes));
  const named = blobsOfFiles(files, blobs);
  const wholes = files.filter(({ parts }) => !parts).map(({ hash, sizeBytes }) => ({ hash, sizeBytes }));
  sizesByHash([...named, ...wholes]);
  const parted = files.some(({ parts }) => parts);
  return { ...wishes, files, blobs: parted ? blobs : undefined, named };
}

/** @throws FarmError `SceneTooLarge` when no single PUT takes it */
export function checkBlob({ hash, sizeBytes, path = hash }: Blob & { path?: string }): void {
  if (sizeBytes <= LARGEST_BLOB_BYTES) return;
  const why = `"${path}" is larger than ${LARGEST_BLOB_BYTES} bytes: cut it into parts, as the "farm" command does.`;
  throw new FarmError('SceneTooLarge', why, { path, sizeBytes });
}

/** @throws FarmError `RequestInvalid` for one hash with two sizes */
function sizesByHash(blobs: readonly Blob[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { hash, sizeBytes } of blobs) {
    if ((sizes.get(hash) ?? sizeBytes) !== sizeBytes) {
      throw new FarmError('RequestInvalid', `The hash ${hash} stands for bytes of two sizes.`, { hash });
    }
    sizes.set(hash, sizeBytes);
  }
  return sizes;
}

/** @throws FarmError `RequestInvalid` when the parts do not make up the file */
function checkFile(file: z.infer<typeof submittedFile>, sizes: ReadonlyMap<string, number>): StoredFile {
  const { path, sizeBytes, hash, parts } = file;
  const refuse = (why: string) => new FarmError('RequestInvalid', `The parts of "${path}" ${why}.`, { path });
  if (!parts) {
    checkBlob({ hash, sizeBytes, path });
    return { path, sizeBytes, hash };
  }
  let sum = 0;
  for (const part of parts) {
    const whole = sizes.get(part.blob);
    if (whole === undefined) throw refuse('name a blob that is not among the blobs');
    if (whole > LARGEST_PARTED_BLOB_BYTES) throw refuse(`name a blob of more than ${LARGEST_PARTED_BLOB_BYTES} bytes`);
    if (part.offset + part.sizeBytes > whole) throw refuse('reach beyond the end of a blob');
    sum += part.sizeBytes;
  }
  if (sum !== sizeBytes) throw refuse(`hold ${sum} bytes instead of ${sizeBytes}`);
  return { path, sizeBytes, hash, parts };
}
