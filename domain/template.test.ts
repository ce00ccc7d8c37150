import { describe, expect, it } from 'vitest';
import { DEFAULT_TEMPLATE, formatName, parseTemplate } from './template.ts';

const values = { shot: 'sq010_sh020', layer: 'beauty', version: 3, frame: 7, ext: 'exr' };

describe('parseTemplate', () => {
  it('fills the default', () => {
    expect(formatName(parseTemplate(DEFAULT_TEMPLATE), values)).toBe('sq010_sh020_beauty_v3.0007.exr');
  });

  it('pads versions and keeps folders', () => {
    expect(formatName(parseTemplate('out/v{version:03}/{shot}.{frame:04}.{ext}'), values)).toBe(
      'out/v003/sq010_sh020.0007.exr',
    );
  });

  it('writes negative frames and frames wider than the padding', () => {
    const template = parseTemplate('{frame:03}.{ext}');
    expect(formatName(template, { ...values, frame: -4 })).toBe('-004.exr');
    expect(formatName(template, { ...values, frame: 12345 })).toBe('12345.exr');
  });

  it('makes names from strangers safe', () => {
    expect(formatName(parseTemplate('{shot}.{frame}.{ext}'), { ...values, shot: '../../etc/pass wd' })).toBe(
      'etc_pass_wd.7.exr',
    );
  });

  it.each([
    ['{shot}.{ext}', '{frame} is missing'],
    ['{frame}', '{ext} is missing'],
    ['{fram:04}.{ext}', 'is not a field'],
    ['{frame:4}.{ext}', 'is not a field'],
    ['{shot:03}.{frame}.{ext}', 'takes no width'],
    ['{frame.{ext}', 'column 1'],
    ['a*{frame}.{ext}', '"*" is not allowed at column 2'],
    ['../{frame}.{ext}', 'leaves the project folder'],
    ['/{frame}.{ext}', 'is absolute'],
    ['', '{frame} is missing'],
  ])('refuses %s', (text, why) => {
    expect(() => parseTemplate(text)).toThrow(why);
    expect(() => parseTemplate(text)).toThrow(expect.objectContaining({ code: 'TemplateInvalid' }));
  });
});
