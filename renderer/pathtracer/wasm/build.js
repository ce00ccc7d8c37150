/**
 * Compiles the tracer's AssemblyScript to WebAssembly. Plain node, used by the project's build and, from sources, by tests.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const sources = join(folder, 'assembly');

/** SIMD and threads over shared memory; no garbage collector, no relaxed SIMD (its results differ between machines). */
const FLAGS = [
  ...['--runtime', 'stub', '--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
  ...['--enable', 'simd', '--enable', 'threads', '--importMemory', '--sharedMemory'],
  ...['--disableWarning', '112'],
  ...['--initialMemory', '32', '--maximumMemory', '65536'],
];

/**
 * Hash of sources and flags: what a compiled module's `.source` file must say for the module to be current.
 * @returns {Promise<string>} SHA-256, hexadecimal
 */
export async function tracerSourceHash() {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const name of (await readdir(sources)).filter((entry) => entry.endsWith('.ts')).sort()) {
    hash.update(name).update(await readFile(join(sources, name)));
  }
  return hash.digest('hex');
}

/**
 * Compiles to `outFile` (atomically) and writes `outFile.source` beside it.
 * @param {string} outFile absolute path of the .wasm
 * @returns {Promise<void>}
 * @throws {Error} with the compiler's messages
 */
export async function buildTracer(outFile) {
  const { default: asc } = await import('assemblyscript/asc');
  const sourceHash = await tracerSourceHash();
  await mkdir(dirname(outFile), { recursive: true });
  const temporary = `${outFile}.${process.pid}.tmp.wasm`;
  const { error, stderr } = await asc.main([
    join('assembly', 'index.ts'),
    ...['--baseDir', folder, '--outFile', relative(folder, temporary)],
    ...FLAGS,
  ]);
  if (error) {
    await rm(temporary, { force: true });
    throw new Error(`AssemblyScript did not compile:\n${stderr.toString()}${error.message}`);
  }
  await rename(temporary, outFile);
  await writeFile(`${outFile}.source`, sourceHash);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildTracer(process.argv[2] ?? join(folder, '../../../dist/tracer.wasm'));
}
