/** Numbers as SVG shapes. Machines that render often have no fonts at all, and SVG text would silently stay empty there. */

/** Five by seven dots, row by row from the top, the leftmost dot the highest bit. */
const GLYPHS: Record<string, readonly number[]> = {
  '0': [14, 17, 19, 21, 25, 17, 14],
  '1': [4, 12, 4, 4, 4, 4, 14],
  '2': [14, 17, 1, 2, 4, 8, 31],
  '3': [31, 2, 4, 2, 1, 17, 14],
  '4': [2, 6, 10, 18, 31, 2, 2],
  '5': [31, 16, 30, 1, 1, 17, 14],
  '6': [6, 8, 16, 30, 17, 17, 14],
  '7': [31, 1, 2, 4, 8, 8, 8],
  '8': [14, 17, 17, 14, 17, 17, 14],
  '9': [14, 17, 17, 15, 1, 2, 12],
  '-': [0, 0, 0, 31, 0, 0, 0],
};

const COLUMNS = 5;
const ADVANCE = 6;
const ROWS = 7;

/** Width of a number in dots. */
export const numberWidth = (value: number): number => String(value).length * ADVANCE - 1;

/** An SVG path of an integer; `x`, `y` is its upper left corner, `dot` the size of a dot in pixels. */
export function numberPath(value: number, x: number, y: number, dot: number): string {
  const parts: string[] = [];
  [...String(value)].forEach((character, index) => {
    const rows = GLYPHS[character];
    if (!rows) throw new RangeError(`no glyph for "${character}"`);
    rows.forEach((bits, row) => {
      for (let column = 0; column < COLUMNS; column++) {
        if (bits & (1 << (COLUMNS - 1 - column))) {
          parts.push(`M${x + (index * ADVANCE + column) * dot} ${y + row * dot}h${dot}v${dot}h${-dot}z`);
        }
      }
    });
  });
  return parts.join('');
}

/** Height of a number in dots. */
export const NUMBER_HEIGHT = ROWS;
