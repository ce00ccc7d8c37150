/** Takes a `.glb` or `.gltf` apart into its JSON and its binary chunk. Standard: glTF 2.0, chapters 3.1 and 4. */
import type { GLTF } from '@gltf-transform/core';
import { FarmError } from '../../../domain/errors.ts';

const GLB_MAGIC = 0x4654_6c67;
const JSON_CHUNK = 0x4e4f_534a;
const BINARY_CHUNK = 0x004e_4942;

export interface GltfContainer {
  json: GLTF.IGLTF;
  /** The JSON as it stands in the file, for the validator. */
  text: string;
  /** The binary chunk of a `.glb`. */
  binary: Uint8Array | null;
}

/** Deepest nesting of JSON. glTF needs about ten; what reads it further on (the validator, extras) has a stack. */
const MAX_JSON_DEPTH = 128;

/** Refuses JSON that nests without end, before anything recursive sees it. Brackets inside strings do not count. */
function refuseDeepJson(text: string, file: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      do {
        at = text.indexOf('"', at + 1);
        if (at < 0) return;
      } while (isEscaped(text, at));
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_JSON_DEPTH) {
        const message = `${file}: the JSON nests more than ${MAX_JSON_DEPTH} deep (character ${at})`;
        throw new FarmError('SceneInvalid', message, { file, offset: at });
      }
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    }
  }
}

/** Whether the quotation mark at `at` has an odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === 0x5c) first--;
  return (at - first) % 2 === 1;
}

/** A JSON pointer's parts to the first number that is not finite, or null. */
function findNonFinite(value: unknown, trail: string[] = []): string[] | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : trail;
  if (typeof value !== 'object' || value === null || trail.length > 64) return null;
  for (const [key, child] of Object.entries(value)) {
    const found = findNonFinite(child, [...trail, key]);
    if (found) return found;
  }
  return null;
}

/** The name of the node, accessor, … that a pointer runs through, for messages. */
function nameAt(json: unknown, trail: string[]): string | null {
  const list = (json as Record<string, unknown>)[trail[0] ?? ''];
  const item = Array.isArray(list) ? (list[Number(trail[1])] as { name?: unknown } | undefined) : undefined;
  return typeof item?.name === 'string' ? item.name : null;
}

function refuseNonFinite(json: unknown, file: string): void {
  const trail = findNonFinite(json);
  if (!trail) return;
  const name = nameAt(json, trail);
  const pointer = `/${trail.join('/')}`;
  throw new FarmError('SceneInvalid', `${file}: ${pointer}${name ? ` ("${name}")` : ''} is not a finite number`, {
    file,
    pointer,
    name,
  });
}

function parseJson(text: string, file: string): GLTF.IGLTF {
  refuseDeepJson(text, file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    // Scripts that write glTF by hand leave bare NaN and Infinity behind, which JSON does not have: say where they stand.
    const tolerant = text.replace(/(?<=[[,:\s])(-?)(?:NaN|Infinity)(?=[\],}\s])/g, '$11e999');
    if (tolerant !== text) {
      let repaired: unknown;
      try {
        repaired = JSON.parse(tolerant);
      } catch {
        repaired = null;
      }
      refuseNonFinite(repaired, file);
    }
    throw new FarmError(
      'SceneInvalid',
      `${file}: the JSON is damaged: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new FarmError('SceneInvalid', `${file}: the JSON is not an object`, { file });
  }
  refuseNonFinite(json, file);
  return json as GLTF.IGLTF;
}

/** Bytes at the beginning of a file that hold its JSON, by its first twenty; all of them for what is no `.glb`. */
export function jsonLength(head: Buffer, sizeBytes: number): number {
  const isGlb = head.length >= 20 && head.readUInt32LE(0) === GLB_MAGIC;
  return isGlb ? Math.min(sizeBytes, 20 + head.readUInt32LE(12)) : sizeBytes;
}

function parseGlb(bytes: Buffer, file: string, sizeBytes: number): GltfContainer {
  const refuse = (why: string, offset: number): never => {
    throw new FarmError('SceneInvalid', `${file}: ${why} (byte ${offset})`, { file, offset });
  };
  if (bytes.length < 20) refuse('the file ends inside its header', bytes.length);
  const version = bytes.readUInt32LE(4);
  if (version !== 2) refuse(`glTF version ${version} is not 2`, 4);
  const declared = bytes.readUInt32LE(8);
  if (declared > sizeBytes) refuse(`the file is cut off: ${sizeBytes} of ${declared} bytes are there`, sizeBytes);
  let text: string | undefined;
  let binary: Uint8Array | null = null;
  for (let at = 12; at < declared; ) {
    if (at + 8 > declared) refuse('a chunk header is cut off', at);
    if (at + 8 > bytes.length) break;
    const length = bytes.readUInt32LE(at);
    const type = bytes.readUInt32LE(at + 4);
    const end = at + 8 + length;
    if (end > declared) refuse('a chunk is longer than the file', at);
    // Only the head was read.
    if (end > bytes.length) break;
    const body = bytes.subarray(at + 8, end);
    if (type === JSON_CHUNK && text === undefined) text = new TextDecoder().decode(body);
    else if (text === undefined) refuse('the first chunk is not JSON', at);
    else if (type === BINARY_CHUNK && binary === null) binary = body;
    at = end;
  }
  if (text === undefined) return refuse('there is no JSON chunk', 12);
  return { json: parseJson(text, file), text, binary };
}

/**
 * Parses either container, told apart by content. `bytes` may be no more than the JSON (`jsonLength`) of a file of
 * `sizeBytes`; the binary chunk is null then. Throws `SceneInvalid` with the byte or JSON pointer of the damage.
 */
export function parseContainer(bytes: Buffer, file: string, sizeBytes = bytes.length): GltfContainer {
  if (bytes.length >= 4 && bytes.readUInt32LE(0) === GLB_MAGIC) return parseGlb(bytes, file, sizeBytes);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new FarmError('SceneInvalid', `${file} is compressed with gzip; unpack it first`, { file, offset: 0 });
  }
  if (file.toLowerCase().endsWith('.glb')) {
    throw new FarmError('SceneInvalid', `${file} is no binary glTF: it does not begin with "glTF"`, {
      file,
      offset: 0,
    });
  }
  const text = new TextDecoder().decode(bytes);
  return { json: parseJson(text, file), text, binary: null };
}
