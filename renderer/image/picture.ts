/** The picture beside the EXR: PNG, TIFF, WebP or JPEG, made row by row through a view transform. */
import sharp from 'sharp';
import type { PictureFormat } from '../../domain/scene.ts';
import { applyView, type ViewSettings } from './viewTransform.ts';

/** Collects rows from the top on and encodes them. TIFF has 16 bits a channel, the others 8; JPEG shows pictures over black. */
export class PictureBuilder {
  private readonly width: number;
  private readonly height: number;
  private readonly format: PictureFormat;
  private readonly view: ViewSettings;
  private readonly pixels: Uint8Array | Uint16Array;
  private at = 0;

  constructor(width: number, height: number, format: PictureFormat, view: ViewSettings) {
    this.width = width;
    this.height = height;
    this.format = format;
    this.view = view;
    this.pixels = new (format === 'tiff' ? Uint16Array : Uint8Array)(width * height * 4);
  }

  /** Appends rows of linear Rec.709 RGBA, premultiplied. */
  add(beauty: Float32Array): void {
    applyView(beauty, this.view, this.pixels, this.at);
    this.at += beauty.length;
  }

  /** All rows are there. */
  get isWhole(): boolean {
    return this.at === this.pixels.length;
  }

  /** The file. Throws `RangeError` when rows are missing. */
  encode(): Promise<Buffer> {
    if (!this.isWhole) throw new RangeError('the picture lacks rows');
    const raw = { width: this.width, height: this.height, channels: 4 as const };
    const picture = sharp(this.pixels, { raw, limitInputPixels: false });
    switch (this.format) {
      case 'png':
        return picture.png({ compressionLevel: 6 }).toBuffer();
      case 'webp':
        return picture.webp({ quality: 90 }).toBuffer();
      case 'jpeg':
        return picture.flatten({ background: '#000' }).jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer();
      case 'tiff':
        return picture.toColourspace('rgb16').tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer();
    }
  }
}
