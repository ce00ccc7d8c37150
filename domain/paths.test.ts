import { describe, expect, it } from 'vitest';
import { checkProjectPath, checkProjectPaths } from './paths.ts';

describe('checkProjectPath', () => {
  it.each(['scene.glb', 'textures/wood.png', 'a b/ü.png', '.hidden', 'clapper 🎬.png'])('keeps %s', (path) => {
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
    'x\ud800y',
    'y\udc00.png',
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

  it.each([
    [['foo/a', 'FOO'], '"FOO" is a file, and "foo" the folder of "foo/a"'],
    [['FOO', 'foo/a'], '"FOO" is a file, and "foo" the folder of "foo/a"'],
    [['a', 'a/b'], '"a" is a file, and "a" the folder of "a/b"'],
    [['x/a/b/c', 'x/a'], '"x/a" is a file, and "x/a" the folder of "x/a/b/c"'],
    [['foo/a', 'FOO/b'], 'lie in "foo" and "FOO", which are the same folder but for case'],
    [['x/foo/a', 'y/foo/a', 'x/Foo/d/e'], 'lie in "x/foo" and "x/Foo"'],
    [['a/b', 'a/b'], 'named twice'],
  ])('refuses %j: one spelling a folder, and no file that is a folder', (paths, message) => {
    expect(() => checkProjectPaths(paths)).toThrow(
      expect.objectContaining({ code: 'NameInvalid', message: expect.stringContaining(message) }),
    );
  });

  it('keeps folders that several files share', () => {
    const paths = ['foo/a', 'foo/b', 'foo/bar/a', 'foo2', 'a', 'u\u0308/a', '\u00fc/b'];
    expect(checkProjectPaths(paths)).toEqual(paths.map((path) => path.normalize('NFC')));
  });
});
