import { describe, expect, it } from 'vitest';
import { PLAIN_TEXT, STORABLE_TEXT, storableJson, visible } from './text.ts';

const UNSTORABLE = ['\0', 'a\ud800', '\udc00\ud800', 'x\udfffy'];
const CONTROLS = ['\u001b[31m', 'a\nb', '\t', '\u007f', '\u009b'];
const PLAIN = ['', 'shot 010', 'Übung', '镜头', '🎬', 'a\u200db'];

describe('text', () => {
  it('is plain without control characters and half characters, and storable without NUL and those', () => {
    expect([...UNSTORABLE, ...CONTROLS].filter((text) => PLAIN_TEXT.test(text))).toEqual([]);
    expect([...PLAIN, ...CONTROLS].filter((text) => !STORABLE_TEXT.test(text))).toEqual([]);
    expect(PLAIN.filter((text) => !PLAIN_TEXT.test(text))).toEqual([]);
    expect(UNSTORABLE.filter((text) => STORABLE_TEXT.test(text))).toEqual([]);
  });

  it('is shown with what a terminal would obey as escapes', () => {
    expect(visible('a\0b\u001b[31m\u009bc\ud83d')).toBe('a\\u0000b\\u001b[31m\\u009bc\\ud83d');
    for (const text of [...PLAIN, 'two\nlines\tand more']) expect(visible(text)).toBe(text);
  });

  it('in JSON keeps all but what no record takes, in keys too', () => {
    const round = (value: unknown) => JSON.parse(storableJson(JSON.stringify(value)));
    expect(round({ 'k\0': ['a\0b', '\ud800', 'x\udfff'] })).toEqual({ 'k\ufffd': ['a\ufffdb', '\ufffd', 'x\ufffd'] });
    const whole = { path: 'C:\\u0000\\\\ud800', text: [...PLAIN, ...CONTROLS], quote: '"\\"' };
    expect(round(whole)).toEqual(whole);
  });
});
