/** One picture of a whole shot: a grid of thumbnails with frame numbers, gaps where frames are missing. */
import sharp, { type OverlayOptions } from 'sharp';
import { NUMBER_HEIGHT, numberPath, numberWidth } from './numberGlyphs.ts';

export interface ContactSheetFrame {
  frame: number;
  /** Path of its preview, or null when there is none. */
  previewPath: string | null;
}

export interface ContactSheetOptions {
  /** Width of a thumbnail, pixels; 240 when left out. */
  thumbnailWidth?: number;
  /** Thumbnails at most, taken evenly with the first and the last; 120 when left out. */
  limit?: number;
  /** Height over width of a thumbnail, for shots without a single frame; 9/16 when left out. */
  aspect?: number;
}

/** Of one frame, pixels. */
export const CELL_WIDTH = 240;
/** Frames on a sheet; of more, so many are picked. */
export const SHEET_FRAMES = 120;
const GUTTER = 10;
const LABEL_HEIGHT = 22;
const DOT = 2;
const BACKGROUND = '#16181d';
const GAP = '#23262e';
const STRIPE = '#343945';
const INK = '#aeb6c6';

/** At most `limit` of the frames, evenly spread, first and last among them. */
export function pickEvenly<T>(items: readonly T[], limit: number): T[] {
  if (items.length <= limit) return [...items];
  if (limit === 1) return items.slice(0, 1);
  return Array.from({ length: limit }, (_, i) => items[Math.round((i * (items.length - 1)) / (limit - 1))]!);
}

const svg = (width: number, height: number, body: string): Buffer =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`);

/** The picture that stands for a missing frame: hatched, with its number when given. */
export function gapPicture(width: number, height: number, frame?: number): Buffer {
  const dot = Math.max(1, Math.round(height / 60));
  const label =
    frame === undefined
      ? ''
      : `<path fill="${INK}" d="${numberPath(frame, (width - numberWidth(frame) * dot) / 2, (height - NUMBER_HEIGHT * dot) / 2, dot)}"/>`;
  return svg(
    width,
    height,
    `<defs><pattern id="s" width="16" height="16" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="16" fill="${STRIPE}"/></pattern></defs>` +
      `<rect width="100%" height="100%" fill="${GAP}"/><rect width="100%" height="100%" fill="url(#s)"/>${label}`,
  );
}

/** The sheet as PNG. Frames stand in the given order. Throws `RangeError` without frames. */
export async function contactSheet(frames: ContactSheetFrame[], options: ContactSheetOptions = {}): Promise<Buffer> {
  if (frames.length === 0) throw new RangeError('a contact sheet needs frames');
  const { thumbnailWidth: width = CELL_WIDTH, limit = SHEET_FRAMES } = options;
  const shown = pickEvenly(frames, limit);
  const sample = shown.find(({ previewPath }) => previewPath !== null)?.previewPath;
  const size = sample ? await sharp(sample).metadata() : undefined;
  const aspect = size ? size.height / size.width : (options.aspect ?? 9 / 16);
  const height = Math.max(1, Math.round(width * aspect));
  // Cells so arranged that the sheet is about as wide as a screen.
  const columns = Math.min(
    shown.length,
    Math.max(1, Math.round(Math.sqrt((shown.length * 1.6 * (height + LABEL_HEIGHT)) / width))),
  );
  const rows = Math.ceil(shown.length / columns);
  const sheetWidth = columns * (width + GUTTER) + GUTTER;
  const sheetHeight = rows * (height + LABEL_HEIGHT + GUTTER) + GUTTER;
  const labels: string[] = [];
  const overlays: OverlayOptions[] = [];
  for (const [index, { frame, previewPath }] of shown.entries()) {
    const left = GUTTER + (index % columns) * (width + GUTTER);
    const top = GUTTER + Math.floor(index / columns) * (height + LABEL_HEIGHT + GUTTER);
    const input = previewPath
      ? await sharp(previewPath)
          .resize(width, height, { fit: 'fill' })
          .flatten({ background: BACKGROUND })
          .png()
          .toBuffer()
      : gapPicture(width, height);
    overlays.push({ input, left, top });
    labels.push(numberPath(frame, left, top + height + 5, DOT));
  }
  overlays.push({
    input: svg(sheetWidth, sheetHeight, `<path fill="${INK}" d="${labels.join('')}"/>`),
    left: 0,
    top: 0,
  });
  return sharp({ create: { width: sheetWidth, height: sheetHeight, channels: 3, background: BACKGROUND } })
    .composite(overlays)
    .png({ compressionLevel: 9 })
    .toBuffer();
}
