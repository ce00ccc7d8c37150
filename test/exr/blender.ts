/** What Blender's compositor sees of an OpenEXR file of ours, against what our own reader sees. */
import { cryptomatteHex } from '../../renderer/image/cryptomatte.ts';
import type { ExrPicture } from '../../renderer/image/exr/read.ts';

/** Names that the file's Cryptomatte manifests hold, by layer (`CryptoObject` …). */
export function matteNames({ attributes }: ExrPicture): Record<string, string[]> {
  const keys = Object.keys(attributes).filter((name) => /^cryptomatte\/.*\/name$/.test(name));
  return Object.fromEntries(
    keys.map((key) => {
      const manifest = String(attributes[key.replace(/name$/, 'manifest')]);
      return [String(attributes[key]), Object.keys(JSON.parse(manifest) as Record<string, string>)];
    }),
  );
}

/** Blender's compositor has scalars, vectors and colours, and writes their channels under names of its own. */
const SUFFIXES: Record<string, string> = { U: 'X', V: 'Y', N: 'V' };

/** Where a channel of ours is in the file that Blender wrote: `Combined.R`, `depth.V`, `CryptoObject00.r`. */
function nameInBlender(name: string, ours: ExrPicture): string {
  const dot = name.lastIndexOf('.');
  if (dot < 0) return `Combined.${name}`;
  const layer = name.slice(0, dot + 1);
  const siblings = [...ours.planes.keys()].filter((other) => other.startsWith(layer));
  const suffix = name.slice(dot + 1);
  return layer + (siblings.length === 1 ? 'V' : (SUFFIXES[suffix] ?? suffix));
}

const isSame = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

/** Share of each pixel that a name covers, by the ranks in the file. */
function coverageOf(name: string, layer: string, { planes, width, height }: ExrPicture): Float64Array {
  const id = Number.parseInt(cryptomatteHex(name), 16);
  const covered = new Float64Array(width * height);
  for (const [channel, plane] of planes) {
    const rank = /^(.*\d\d)\.([RB])$/.exec(channel);
    if (!rank || !channel.startsWith(layer)) continue;
    const ids = new Uint32Array(plane.buffer, plane.byteOffset, plane.length);
    const shares = planes.get(`${rank[1]}.${rank[2] === 'R' ? 'G' : 'A'}`)!;
    for (let i = 0; i < covered.length; i++) if (ids[i] === id) covered[i]! += shares[i]!;
  }
  return covered;
}

/** What is wrong with what Blender saw, in words. Channels must be equal to the bit, mattes within what Blender rounds. */
export function blenderDifferences(ours: ExrPicture, theirs: ExrPicture): string[] {
  if (theirs.width !== ours.width || theirs.height !== ours.height) return ['has another size'];
  const known = new Map([...theirs.planes].map(([name, plane]) => [name.toLowerCase(), plane]));
  const found: string[] = [];
  for (const [name, plane] of ours.planes) {
    const seen = known.get(nameInBlender(name, ours).toLowerCase());
    if (!seen) found.push(`lacks channel ${name}`);
    else if (!isSame(plane, seen)) found.push(`differs in channel ${name}`);
  }
  for (const [layer, names] of Object.entries(matteNames(ours))) {
    let most = 0;
    for (const [index, name] of names.entries()) {
      const matte = known.get(`matte_${layer}_${index}.V`.toLowerCase());
      const covered = coverageOf(name, layer, ours);
      most = Math.max(most, ...covered);
      const isRight = matte && covered.every((share, i) => Math.abs(share - matte[i]!) < 1e-5);
      if (!isRight) found.push(`has another matte of ${name} in ${layer}`);
    }
    if (most === 0) found.push(`covers nothing in ${layer}`);
  }
  return found;
}
