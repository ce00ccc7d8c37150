/** Names of files inside a project. They come from strangers and end up on other people's disks. */
import { FarmError } from './errors.ts';

const DEVICE_NAME = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const FORBIDDEN = /[\u0000-\u001f\u007f\\:*?"<>|]/;
const utf8 = new TextEncoder();

/**
 * Returns the path in normal form (NFC) or throws `NameInvalid`. Refused: absolute paths, `.` and `..` parts, empty
 * parts, control characters and those that Windows forbids, device names, parts over 255 bytes, trailing dots or spaces.
 */
export function checkProjectPath(path: string): string {
  const normal = path.normalize('NFC');
  const refuse = (why: string): FarmError => new FarmError('NameInvalid', `File name "${path}" ${why}.`, { path });
  if (normal === '') throw refuse('is empty');
  if (normal.startsWith('/')) throw refuse('is absolute');
  if (utf8.encode(normal).length > 1024) throw refuse('is longer than 1024 bytes');
  if (normal.includes('\ufffd')) throw refuse('is not valid UTF-8');
  if (FORBIDDEN.test(normal)) throw refuse('holds a character that is not portable');
  for (const part of normal.split('/')) {
    if (part === '') throw refuse('has an empty part');
    if (part === '.' || part === '..') throw refuse('leaves the project folder');
    if (utf8.encode(part).length > 255) throw refuse('has a part longer than 255 bytes');
    if (DEVICE_NAME.test(part)) throw refuse('is a device name on Windows');
    if (part.endsWith('.') || part.endsWith(' ')) throw refuse('has a part that ends in a dot or space');
  }
  return normal;
}

/** Checks all paths of a project; two that differ only in case would overwrite each other on some disks. */
export function checkProjectPaths(paths: readonly string[]): string[] {
  const seen = new Map<string, string>();
  return paths.map((path) => {
    const normal = checkProjectPath(path);
    const key = normal.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      throw new FarmError('NameInvalid', `Files "${other}" and "${path}" have the same name but for case.`, { path });
    }
    seen.set(key, path);
    return normal;
  });
}
