/**
 * Makes the GPU tier's WGSL of the CPU tier's AssemblyScript and of the hand-written parts in `twins/`. Plain node, used by the
 * project's build and, from sources, by tests.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const sources = join(folder, '../wasm/assembly');
const twinsFolder = join(folder, 'twins');
const translatorFolder = join(folder, 'translate');

/** @param {string} path @param {string} ending */
const filesIn = async (path, ending) => (await readdir(path)).filter((name) => name.endsWith(ending)).sort();

/**
 * Hash of all that the WGSL is made of: what `.source` beside it must say for it to be current.
 * @returns {Promise<string>} SHA-256, hexadecimal
 */
export async function wgslSourceHash() {
  const hash = createHash('sha256');
  for (const [path, ending] of [
    [sources, '.ts'],
    [twinsFolder, '.wgsl'],
    [translatorFolder, '.js'],
    [folder, '.js'],
  ]) {
    for (const name of await filesIn(path, ending)) hash.update(name).update(await readFile(join(path, name)));
  }
  return hash.digest('hex');
}

/**
 * Writes `outFile` (atomically) and `outFile.source` beside it.
 * @param {string} outFile absolute path of the .wgsl
 * @returns {Promise<void>}
 * @throws {Error} naming file, line and reason where the sources leave the subset that is translated
 */
export async function buildWgsl(outFile) {
  const { translateProgram } = await import('./translate/program.js');
  const sourceHash = await wgslSourceHash();
  const twins = await Promise.all(
    (await filesIn(twinsFolder, '.wgsl')).map(
      async (name) => `// ---- ${name}\n${await readFile(join(twinsFolder, name), 'utf8')}`,
    ),
  );
  const written = twins.join('\n');
  const modules = (await filesIn(sources, '.ts')).map((name) => name.slice(0, -3));
  const text = `${written}\n// ---- translated\n${translateProgram(sources, modules, written)}\n`;
  await mkdir(dirname(outFile), { recursive: true });
  const temporary = `${outFile}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, outFile);
  await writeFile(`${outFile}.source`, sourceHash);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildWgsl(process.argv[2] ?? join(folder, '../../../dist/tracer.wgsl'));
}
