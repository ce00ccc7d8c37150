import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { packFiles } from './packs.ts';

const fileOf = (index: number, sizeBytes: number) => ({
  hash: createHash('sha256').update(`${index}`).digest('hex'),
  sizeBytes,
});
const namesOf = (packs: { hash: string }[][]): string[] => packs.map((pack) => pack.map(({ hash }) => hash).join());

describe('packs of small files', () => {
  it('hold all files once, in order, in blobs of about a mebibyte', () => {
    const files = Array.from({ length: 2_000 }, (_, index) => fileOf(index, 1 + ((index * 7_919) % 65_536)));
    const packs = packFiles([...files, ...files.slice(0, 100)]);
    expect(packs.flat()).toEqual(files);
    const sizes = packs.map((pack) => pack.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4 * 2 ** 20);
    const average = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(average).toBeGreaterThan(2 ** 19);
    expect(average).toBeLessThan(2 ** 21);
  });

  it('stay the same but for one when a file comes or goes', () => {
    const files = Array.from({ length: 5_000 }, (_, index) => fileOf(index, 4_000));
    const known = new Set(namesOf(packFiles(files)));
    const more = namesOf(packFiles(files.toSpliced(2_500, 0, fileOf(-1, 4_000))));
    const fewer = namesOf(packFiles(files.toSpliced(2_500, 1)));
    for (const packs of [more, fewer]) expect(packs.filter((name) => !known.has(name)).length).toBeLessThanOrEqual(2);
  });
});
