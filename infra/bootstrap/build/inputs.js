/** Lists the inputs of build steps and makes one key of their contents. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SKIPPED = new Set(['node_modules', 'dist', 'out', 'cache', '.cache']);

/** Paths relative to `root`, with forward slashes, of all files below `folder`, sorted; none if the folder is not there. */
export function listFiles(root, folder) {
  const files = [];
  const visit = (path) => {
    let entries;
    try {
      entries = readdirSync(join(root, path), { withFileTypes: true });
    } catch {
      return;
    }
    for (const entry of entries) {
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) visit(`${path}/${entry.name}`);
      } else if (entry.isFile()) files.push(`${path}/${entry.name}`);
    }
  };
  visit(folder);
  return files.sort();
}

/** SHA-256 over names and contents, and the Node version, as some outputs depend on it. */
export function keyOf(root, paths) {
  const hash = createHash('sha256').update(process.versions.node);
  for (const path of paths) {
    let content;
    try {
      content = readFileSync(join(root, path));
    } catch {
      continue;
    }
    hash.update(`\0${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
