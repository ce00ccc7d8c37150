/** Names of files inside a project. They come from strangers and end up on other people's disks. */
import { FarmError } from './errors.ts';

const DEVICE_NAME = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const FORBIDDEN = /[\u0000-\u001f\u007f\\:*?"<>|]/;
/** Half of a character that UTF-16 writes in two: it has no UTF-8, and no database takes it. */
const LONE_SURROGATE = /\p{Cs}/u;
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
  if (normal.includes('\ufffd') || LONE_SURROGATE.test(normal)) throw refuse('is not valid UTF-8');
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

/** A file or folder that paths named so far need. */
interface Entry {
  /** In the spelling it first had, normal form. */
  name: string;
  isFile: boolean;
  /** The path that named it first. */
  path: string;
}

/**
 * Checks all paths of a project and returns them in normal form. Those that some disk cannot hold beside each other are
 * refused: names of files or of their folders that differ only in case, and a file that is also a folder.
 * @throws FarmError `NameInvalid`
 */
export function checkProjectPaths(paths: readonly string[]): string[] {
  /** By name in lower case. */
  const entries = new Map<string, Entry>();
  const folders = new Set<string>();
  const enter = (entry: Entry): void => {
    const key = entry.name.toLowerCase();
    const other = entries.get(key);
    if (!other) entries.set(key, entry);
    else if (entry.isFile || other.isFile || entry.name !== other.name) throw clash(other, entry);
  };
  return paths.map((path) => {
    const normal = checkProjectPath(path);
    // Most lie where another one did, and then so do the folders above.
    for (let end = normal.lastIndexOf('/'); end !== -1; end = normal.lastIndexOf('/', end - 1)) {
      const name = normal.slice(0, end);
      if (folders.has(name)) break;
      folders.add(name);
      enter({ name, isFile: false, path });
    }
    enter({ name: normal, isFile: true, path });
    return normal;
  });
}

function clash(first: Entry, second: Entry): FarmError {
  const refuse = (why: string): FarmError => new FarmError('NameInvalid', `${why}.`, { path: second.path });
  const [file, folder] = first.isFile ? [first, second] : [second, first];
  if (file.isFile && !folder.isFile) {
    return refuse(`"${file.path}" is a file, and "${folder.name}" the folder of "${folder.path}"`);
  }
  if (!file.isFile) {
    const where = `"${first.name}" and "${second.name}", which are the same folder but for case`;
    return refuse(`Files "${first.path}" and "${second.path}" lie in ${where}`);
  }
  if (first.path === second.path) return refuse(`File "${second.path}" is named twice`);
  const but = first.name === second.name ? '' : ' but for case';
  return refuse(`Files "${first.path}" and "${second.path}" have the same name${but}`);
}
