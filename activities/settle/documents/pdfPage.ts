/** Measures, fonts and small strokes of our PDF pages. */

export const MARGIN = 48;
export const INK = '#16181d';
export const MUTED = '#667085';
const LINE = '#d0d5dd';

/** Fonts that every PDF reader has. */
export const FONT = { plain: 'Helvetica', bold: 'Helvetica-Bold', mono: 'Courier' } as const;

/** Width between the margins. */
export const pageWidth = (pdf: PDFKit.PDFDocument): number => pdf.page.width - 2 * MARGIN;

/** Lowest y for content; below it stands the footer. */
export const pageBottom = (pdf: PDFKit.PDFDocument): number => pdf.page.height - MARGIN - 16;

/** A thin line across the page. */
export function rule(pdf: PDFKit.PDFDocument, y: number): void {
  pdf
    .moveTo(MARGIN, y)
    .lineTo(MARGIN + pageWidth(pdf), y)
    .lineWidth(0.5)
    .strokeColor(LINE)
    .stroke();
}

/** What the standard fonts can show beyond Latin-1 (Windows-1252). */
const WINDOWS_1252 = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ';

/** Letters whose stroke Unicode does not take apart. */
const STROKED: Record<string, string> = { Ł: 'L', ł: 'l', Đ: 'D', đ: 'd', Ħ: 'H', ħ: 'h', Ŧ: 'T', ŧ: 't', ı: 'i' };

/** Text as the standard fonts can show it: a letter without its accent where the accented one is missing, else `?`. */
export function printable(text: string): string {
  const shown = (character: string) => /[\x20-\x7e\xa0-\xff]/.test(character) || WINDOWS_1252.includes(character);
  return [...text.normalize('NFC')]
    .map((character) => {
      if (shown(character)) return character;
      const plain = STROKED[character] ?? [...character.normalize('NFKD')].filter(shown).join('');
      return plain || (/\s/.test(character) ? ' ' : '?');
    })
    .join('');
}
