/** Small pictures for pages. */
import sharp from 'sharp';

/** Formats that a thumbnail can have. */
export type ThumbnailFormat = 'webp' | 'png' | 'jpeg';

/** A thumbnail of a preview (path or bytes), at most `width` pixels wide; never enlarged. `quality`: of WebP, 1 to 100. */
export function thumbnail(
  source: string | Uint8Array,
  width: number,
  format: ThumbnailFormat = 'webp',
  quality = 80,
): Promise<Buffer> {
  const small = sharp(source).resize({ width, withoutEnlargement: true });
  if (format === 'png') return small.png().toBuffer();
  if (format === 'jpeg') return small.flatten({ background: '#000' }).jpeg({ quality: 82 }).toBuffer();
  return small.webp({ quality }).toBuffer();
}
