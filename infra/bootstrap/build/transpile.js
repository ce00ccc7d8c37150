/**
 * Turns the rooms that run on Node into JavaScript below `dist/`, file by file: `workers/node/main.ts` becomes
 * `dist/workers/node/main.js`. Nothing is bundled, so that stack traces, worker threads and files that code reads relative
 * to itself (`import.meta.url`) are the same as in the sources; only the endings of relative imports change.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @param {string} root folder of package.json
 * @param {string[]} paths sources and data, relative to `root`
 */
export async function transpile(root, paths) {
  const esbuild = await import('esbuild');
  const outputs = paths.map((path) => path.replace(/\.tsx?$/, '.js'));
  removeOrphans(root, outputs);
  const sources = paths.filter((path) => /\.tsx?$/.test(path));
  if (sources.length > 0) {
    await esbuild.build({
      absWorkingDir: root,
      entryPoints: sources,
      outdir: 'dist',
      outbase: '.',
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      sourcemap: true,
      sourcesContent: false,
      logLevel: 'warning',
      color: false,
      plugins: [{ name: 'keep-files-apart', setup: keepFilesApart }],
    });
  }
  for (const path of paths.filter((path) => !/\.tsx?$/.test(path))) {
    mkdirSync(dirname(join(root, 'dist', path)), { recursive: true });
    copyFileSync(join(root, path), join(root, 'dist', path));
  }
}

/** Every import stays an import; `./x.ts` becomes `./x.js`. */
function keepFilesApart(build) {
  build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
    if (kind === 'entry-point') return undefined;
    return { path: /^\.{1,2}\//.test(path) ? path.replace(/\.tsx?$/, '.js') : path, external: true };
  });
}

/** What the last build made of files that are gone would still be loaded. */
function removeOrphans(root, outputs) {
  const list = join(root, 'dist', '.code.json');
  if (existsSync(list)) {
    const current = new Set(outputs);
    for (const path of JSON.parse(readFileSync(list, 'utf8'))) {
      if (current.has(path)) continue;
      rmSync(join(root, 'dist', path), { force: true });
      rmSync(join(root, 'dist', `${path}.map`), { force: true });
    }
  }
  mkdirSync(dirname(list), { recursive: true });
  writeFileSync(list, JSON.stringify(outputs));
}
