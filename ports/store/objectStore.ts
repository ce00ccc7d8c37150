/**
 * The object store as the farm needs it: bytes named by their SHA-256, kept apart by studio. A hash is no permission:
 * every call names the studio, and nothing is ever looked up across studios.
 */

/** What a studio's bytes are: project data, rendered frames, or assembled outputs (film, contact sheet, manifest). */
export const OBJECT_KINDS = ['blobs', 'frames', 'outputs'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** Where an object lies in the bucket: `studios/<studio>/<kind>/<sha256>`. */
export const objectKey = (studioId: string, kind: ObjectKind, hash: string): string =>
  `studios/${studioId}/${kind}/${hash}`;

/** An object as a listing shows it. */
export interface ListedObject {
  kind: ObjectKind;
  hash: string;
  sizeBytes: number;
  /** When it was put last. */
  modifiedAt: Date;
}

export interface PresignedPut {
  url: string;
  /** To be sent exactly; clients set Content-Length themselves from the body, and it is bound as well. */
  headers: Record<string, string>;
}

export interface ObjectStore {
  /**
   * Address under which exactly the announced bytes can be put, and nothing else: hash and length are both signed.
   * The store answers 400 (XAmzContentSHA256Mismatch) to other bytes and 403 to another length, and keeps nothing.
   * @throws FarmError `HashMismatch` for bytes that are announced under the hash of none
   */
  presignPut(request: {
    studioId: string;
    kind: ObjectKind;
    hash: string;
    sizeBytes: number;
    expiresSeconds: number;
  }): Promise<PresignedPut>;
  /** Address to read the object from; `fileName` and `contentType` decide what a browser makes of it. Knows byte ranges. */
  presignGet(request: {
    studioId: string;
    kind: ObjectKind;
    hash: string;
    expiresSeconds: number;
    fileName?: string;
    contentType?: string;
    /** `inline` (default) shows, `attachment` saves; only with `fileName`. */
    disposition?: 'inline' | 'attachment';
    /** The address gives these bytes and no others, to whoever sends this as the header `range` (`byteRange`). */
    range?: string;
  }): Promise<string>;
  /** Size of the object, or null when this studio has no such bytes. */
  stat(studioId: string, kind: ObjectKind, hash: string): Promise<{ sizeBytes: number } | null>;
  /** The bytes, checked against the hash. @throws FarmError `NotFound`, `HashMismatch`, `StoreFailed` */
  get(studioId: string, kind: ObjectKind, hash: string): Promise<Buffer>;
  /** Writes the bytes to `path` by way of a temporary file beside it, checked against the hash; throws like `get`. */
  getToFile(studioId: string, kind: ObjectKind, hash: string, path: string): Promise<void>;
  /** Stores bytes or a file under their own hash; does nothing when they are there already. */
  put(
    studioId: string,
    kind: ObjectKind,
    source: Buffer | { path: string },
    contentType: string,
  ): Promise<{ hash: string; sizeBytes: number }>;
  /** Removes the object; removing what is not there is no error. */
  remove(studioId: string, kind: ObjectKind, hash: string): Promise<void>;
  /** All that a studio has, of one kind or of every kind. */
  list(studioId: string, kind?: ObjectKind): AsyncIterable<ListedObject>;
  /** Makes the bucket when it is not there. */
  ensureBucket(): Promise<void>;
  /** Throws `StoreFailed` when the store does not answer. */
  check(): Promise<void>;
}
