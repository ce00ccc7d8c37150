/** Installs the npm packages when they differ from the lock file. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.js';

/**
 * Whether `node_modules` holds what `package-lock.json` asks for. npm writes a hidden lock file as the last act of an
 * installation, so an interrupted one is seen, and `npm install` by hand counts.
 * @param {string} root folder of package.json
 */
export function packagesAreCurrent(root) {
  const wanted = readLock(join(root, 'package-lock.json'));
  const present = readLock(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true;
    const installed = present[path];
    // Optional packages are those of other platforms as a rule; npm leaves them out.
    if (!installed) return entry.optional === true || entry.devOptional === true;
    return installed.version === entry.version && installed.integrity === entry.integrity;
  });
}

/** @param {string} root @param {{update(text: string): void}} task */
export async function installPackages(root, task) {
  const total = Object.keys(readLock(join(root, 'package-lock.json')) ?? {}).length;
  const modules = join(root, 'node_modules');
  const watch = setInterval(() => {
    const folders = existsSync(modules) ? readdirSync(modules).length : 0;
    task.update(`${folders} of about ${Math.round(total * 0.75)} folders`);
  }, 1000);
  try {
    await run('npm', ['ci', '--no-audit', '--no-fund', '--include=dev', '--loglevel=error'], {
      cwd: root,
      missing: 'Install npm, which comes with Node.',
    });
    return `${total} packages`;
  } finally {
    clearInterval(watch);
  }
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
