import { describe, expect, it } from 'vitest';
import { checkProjectPath, checkProjectPaths } from './paths.ts';

describe('checkProjectPath', () => {
  it.each(['scene.glb', 'textures/wood.png', 'a b/ü.png', '.hidden'])('keeps %s', (path) => {
    expect(checkProjectPath(path)).toBe(path);
  });

  it.each([
    '',
    '/etc/passwd',
    '../up',
    'a/../b',
    './a',
    'a//b',
    'a\\b',
    'C:x',
    'a\u0000b',
    'nul',
    'sub/COM1.txt',
    'dot.',
    'space ',
    'x'.repeat(256),
    '\ufffd.png',
  ])('refuses %j', (path) => {
    expect(() => checkProjectPath(path)).toThrow(expect.objectContaining({ code: 'NameInvalid' }));
  });

  it('keeps a name of 255 bytes', () => {
    expect(checkProjectPath('x'.repeat(255))).toHaveLength(255);
  });

  it('refuses names that differ in case alone', () => {
    expect(() => checkProjectPaths(['a/Wood.png', 'a/wood.png'])).toThrow('same name but for case');
  });

  it('treats both Unicode forms of a name as one', () => {
    expect(() => checkProjectPaths(['\u00fc.png', 'u\u0308.png'])).toThrow('same name');
  });
});
