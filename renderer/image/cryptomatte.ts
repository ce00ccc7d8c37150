/**
 * Cryptomatte 1.2: mattes of every object and material by name. A pixel holds the ids of what it shows and how much of it each
 * covers; compositors find names in the header's manifest.
 *
 * Standard: J. Friedman, A. C. Jones, "Fully automatic ID mattes with support for motion blur and transparency", SIGGRAPH
 * posters 2015, and the Cryptomatte specification (Psyop).
 */
import murmurhash from 'murmurhash';
import { CRYPTOMATTE_RANKS, LAYERS } from '../../domain/layers.ts';
import type { ExrAttribute } from './exr/format.ts';

/** Our layers and the names that compositors know them by. */
export const CRYPTOMATTE_TYPES = {
  cryptomatte_object: 'CryptoObject',
  cryptomatte_material: 'CryptoMaterial',
} as const;

export type CryptomatteLayer = keyof typeof CRYPTOMATTE_TYPES;

export const isCryptomatteLayer = (layer: string): layer is CryptomatteLayer => Object.hasOwn(CRYPTOMATTE_TYPES, layer);

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Bits of the id: MurmurHash3 (x86, 32 bits, seed 0) of the UTF-8 name, its exponent clamped so that the bits are a finite normal float. */
export function cryptomatteBits(name: string): number {
  const hash = murmurhash.v3(name, 0);
  const exponent = Math.min(Math.max((hash >>> 23) & 0xff, 1), 254);
  return ((hash & 0x807f_ffff) | (exponent << 23)) >>> 0;
}

/** The id of a name: the float that pixels hold. Equal names share an id; 0, "nothing", is the id of no name. */
export function cryptomatteId(name: string): number {
  bits[0] = cryptomatteBits(name);
  return float[0]!;
}

/** The id as the manifest writes it: the float's bits, eight hexadecimal digits. */
export const cryptomatteHex = (name: string): string => cryptomatteBits(name).toString(16).padStart(8, '0');

/** Channel names in the file, in the order of the tracer's array: `CryptoObject00.R`, … */
export const cryptomatteChannels = (layer: CryptomatteLayer): string[] =>
  LAYERS[layer].channels.slice(0, CRYPTOMATTE_RANKS * 2).map((channel) => CRYPTOMATTE_TYPES[layer] + channel);

/**
 * The header's word on one Cryptomatte layer: how ids are made, and the manifest with all `names` of the scene, seen or not, so
 * that it is the same in every tile and, for a steady scene, in every frame.
 */
export function cryptomatteAttributes(
  layer: CryptomatteLayer,
  names: Iterable<string>,
): Record<string, Extract<ExrAttribute, { kind: 'string' }>> {
  const type = CRYPTOMATTE_TYPES[layer];
  // The specification's suggestion: a key of seven characters, from the hash of the type's name.
  const key = `cryptomatte/${cryptomatteHex(type).slice(0, 7)}`;
  const sorted = [...new Set(names)].sort();
  const manifest = JSON.stringify(Object.fromEntries(sorted.map((name) => [name, cryptomatteHex(name)])));
  const values = { name: type, hash: 'MurmurHash3_32', conversion: 'uint32_to_float32', manifest };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${key}/${name}`, { kind: 'string' as const, value }]),
  );
}
