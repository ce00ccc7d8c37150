/** Names of a sequence's files: `shot.####.glb`, the number signs standing for the frame's number. */
import path from 'node:path';

/** `shot.####.glb`, and `shot.0001.glb` as one of its files: the number stands between a separator and the extension. */
const PATTERN = /^(.*?)(#+)(\.(?:glb|gltf))$/i;
const NUMBERED = /^(.*?(?:^|[._-]))(\d{1,7})(\.(?:glb|gltf))$/i;

/** The file of a frame in a sequence. */
export function sequenceFile(pattern: string, frame: number): string {
  const folder = path.posix.dirname(pattern);
  const name = path.posix
    .basename(pattern)
    .replace(/#+(?=\.[^.]*$)/, (signs) => String(frame).padStart(signs.length, '0'));
  return path.posix.join(folder, name);
}

/** The pattern that a path is (`shot.####.glb`) or belongs to (`shot.0001.glb`), with the frame it names; null for neither. */
export function patternOf(file: string): { pattern: string; frame: number | null } | null {
  const folder = path.posix.dirname(file);
  const name = path.posix.basename(file);
  if (PATTERN.test(name)) return { pattern: file, frame: null };
  const [, prefix, digits, extension] = NUMBERED.exec(name) ?? [];
  if (prefix === undefined || digits === undefined) return null;
  const pattern = path.posix.join(folder, `${prefix}${'#'.repeat(digits.length)}${extension}`);
  return { pattern, frame: Number(digits) };
}

/** Numbers of those files that a pattern names, rising. */
export function framesNamed(pattern: string, files: readonly string[]): number[] {
  const numbers = files.flatMap((file) => {
    const [, , digits] = NUMBERED.exec(path.posix.basename(file)) ?? [];
    return digits !== undefined && sequenceFile(pattern, Number(digits)) === path.posix.normalize(file)
      ? [Number(digits)]
      : [];
  });
  return numbers.sort((a, b) => a - b);
}
