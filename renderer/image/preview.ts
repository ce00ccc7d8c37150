/** Small pictures for pages. */
import sharp from 'sharp';

/** Formats that a thumbnail can have. */
export type ThumbnailFormat = 'webp' | 'png' | 'jpeg';

/** A thumbnail of a preview (path or bytes), at most `width` pixels wide; never enlarged. */
export function thumbnail(
  source: string | Uint8Array,
  width: number,
  format: ThumbnailFormat = 'webp',
): Promise<Buffer> {
  const small = sharp(source).resize({ width, withoutEnlargement: true });
  if (format === 'png') return small.png().toBuffer();
  if (format === 'jpeg') return small.flatten({ background: '#000' }).jpeg({ quality: 82 }).toBuffer();
  return small.webp({ quality: 80 }).toBuffer();
}
