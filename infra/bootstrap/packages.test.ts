import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from '../stack/paths.ts';
// @ts-expect-error set-up code is plain JavaScript without types
import { missingOptionals } from './complete-lock.js';
// @ts-expect-error set-up code is plain JavaScript without types
import { packagesAreCurrent } from './packages.js';

const wanted = {
  '': { name: 'x' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/b-darwin': { version: '1.0.0', integrity: 'sha512-b', optional: true },
};

function checkout(present: object | undefined): string {
  const root = mkdtempSync(join(tmpdir(), 'packages-'));
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: wanted }));
  mkdirSync(join(root, 'node_modules'));
  if (present) writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: present }));
  return root;
}

it.each([
  ['all is there, but for what other platforms need', { 'node_modules/a': wanted['node_modules/a'] }, true],
  ['nothing was installed, or it was interrupted', undefined, false],
  ['a package is missing', {}, false],
  ['a version differs', { 'node_modules/a': { version: '0.9.0', integrity: 'sha512-a' } }, false],
  ['the contents differ', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-z' } }, false],
])('sees that %s', (_, present, current) => {
  expect(packagesAreCurrent(checkout(present))).toBe(current);
});

it('has a lock file that names the packages of all platforms, without which npm ci refuses it', () => {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')) as { packages: object };
  const remedy = 'run: node infra/bootstrap/complete-lock.js';
  expect(missingOptionals(lock.packages).map(({ name }: { name: string }) => `${name} (${remedy})`)).toEqual([]);
});
