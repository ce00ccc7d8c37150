/**
 * Adds to `package-lock.json` the optional packages of other platforms that npm left out: it does so when the registry in
 * use does not know them, and then `npm ci` refuses the file everywhere. Run it after `npm install` where the test of the
 * lock file asks for it:
 *
 *     node infra/bootstrap/complete-lock.js
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = {
  arm64: 'arm64',
  x64: 'x64',
  amd64: 'x64',
  ia32: 'ia32',
  arm: 'arm',
  ppc64: 'ppc64',
  s390x: 's390x',
  riscv64: 'riscv64',
};

/**
 * Optional packages with an exact version that no entry of the lock file satisfies.
 * @param {Record<string, any>} packages `packages` of the lock file
 * @returns {{name: string, version: string, of: string}[]} `of`: path of the package that asks for it
 */
export function missingOptionals(packages) {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !resolves(packages, path, name))
      .map(([name, version]) => ({ name, version, of: path })),
  );
}

/** Node's way of finding a package: beside the one that asks, then ever further up. */
function resolves(packages, from, name) {
  for (let base = from; ; ) {
    if (packages[`${base ? `${base}/` : ''}node_modules/${name}`]) return true;
    if (!base) return false;
    const above = base.lastIndexOf('/node_modules/');
    base = above < 0 ? '' : base.slice(0, above);
  }
}

function entryOf({ name, version, of }, packages) {
  const words = name.split(/[/-]/);
  const os = OS.filter((word) => words.includes(word));
  const cpu = Object.keys(CPU)
    .filter((word) => words.includes(word))
    .map((word) => CPU[word]);
  if (!/^\d+\.\d+\.\d+/.test(version) || os.length === 0)
    throw new Error(`${of} asks for ${name}@${version}: add it by hand.`);
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : undefined;
  const dev = packages[of].dev ? { dev: true } : {};
  return { version, cpu: cpu.length > 0 ? cpu : undefined, ...dev, ...(libc ? { libc } : {}), optional: true, os };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingOptionals(lock.packages);
  for (const one of missing) lock.packages[`node_modules/${one.name}`] = entryOf(one, lock.packages);
  const [root, ...rest] = Object.entries(lock.packages);
  rest.sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries([root, ...rest]);
  writeFileSync(`${path}.new`, `${JSON.stringify(lock, null, 2)}\n`);
  renameSync(`${path}.new`, path);
  process.stdout.write(`${missing.length} added\n`);
}
