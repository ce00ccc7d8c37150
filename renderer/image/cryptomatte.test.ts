import { describe, expect, it } from 'vitest';
import { cryptomatteAttributes, cryptomatteChannels, cryptomatteHex, cryptomatteId } from './cryptomatte.ts';

describe('Cryptomatte ids', () => {
  // The values that the specification's reference implementation is tested with.
  it.each([
    ['hello', 6.07056271024e-17],
    ['cube', -4.08461912519e15],
    ['sphere', 2.79018604383e15],
    ['plane', 3.66557617593e-11],
    ['равнина', -1.31926312124e-25],
    ['mädchen', 6.23612982116e25],
  ])('of %s is %d', (name, id) => {
    expect(cryptomatteId(name)).toBe(Math.fround(id));
  });

  // The manifests that the specification prints.
  it.each([
    ['bunny', '13851a76'],
    ['default', '42c9679f'],
    ['bunny_porcelain_mat', 'b24b26d4'],
  ])('of %s is written %s', (name, hex) => {
    expect(cryptomatteHex(name)).toBe(hex);
  });

  it('are finite, normal and of eight digits whatever the name', () => {
    for (let i = 0; i < 2_000; i++) {
      const id = Math.abs(cryptomatteId(`node ${i}`));
      expect(id).toBeGreaterThanOrEqual(2 ** -126);
      expect(id).toBeLessThan(Infinity);
      expect(cryptomatteHex(`node ${i}`)).toMatch(/^[0-9a-f]{8}$/);
    }
  });
});

describe('the header', () => {
  it('names type, hash, conversion and all names, once and in order', () => {
    const attributes = cryptomatteAttributes('cryptomatte_object', ['wheel', 'body "left"', 'wheel', '10', '9']);
    const [[key]] = Object.entries(attributes) as [[string, unknown]];
    expect(key).toBe('cryptomatte/3ae39a5/name');
    expect(Object.values(attributes).map(({ value }) => value)).toEqual([
      'CryptoObject',
      'MurmurHash3_32',
      'uint32_to_float32',
      expect.any(String),
    ]);
    const manifest = JSON.parse(attributes['cryptomatte/3ae39a5/manifest']!.value);
    expect(manifest).toEqual({
      '9': cryptomatteHex('9'),
      '10': cryptomatteHex('10'),
      'body "left"': cryptomatteHex('body "left"'),
      wheel: cryptomatteHex('wheel'),
    });
    // EXR files without long names allow 31 bytes.
    for (const name of Object.keys(attributes)) expect(name.length).toBeLessThanOrEqual(31);
  });

  it('names channels so that two ranks share a layer', () => {
    expect(cryptomatteChannels('cryptomatte_material')).toEqual(
      ['00', '01', '02'].flatMap((pair) => ['R', 'G', 'B', 'A'].map((channel) => `CryptoMaterial${pair}.${channel}`)),
    );
  });
});
