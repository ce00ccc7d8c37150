/**
 * All textures of a scene in one array, for kernels that have no textures: 24 bits of colour in one float a texel, which floats
 * hold exactly. Alpha lies there as a picture of its own. A quick look shows a texel on about one pixel, so pictures larger than
 * that are halved first; this is also what keeps them from flickering.
 */
import type { TextureImage } from '../scene/description.ts';

/** Where a picture lies in the atlas, in texels. */
export interface AtlasPlace {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Atlas {
  width: number;
  height: number;
  /** Red · 65536 + green · 256 + blue. */
  texels: Float32Array;
  /** Places of the colour and, where it was asked for, the alpha of picture number `image`. */
  place(image: number, part: AtlasPart): AtlasPlace | null;
}

export type AtlasPart = 'rgb' | 'alpha';

interface Picture {
  key: string;
  width: number;
  height: number;
  data: Uint8Array;
  part: AtlasPart;
}

/** Packs the wanted parts (`image/part`) of `images`, each at most `largest` texels a side. */
export function packAtlas(images: readonly TextureImage[], wanted: ReadonlySet<string>, largest: number): Atlas {
  const shrunk = new Map<number, TextureImage>();
  const pictures: Picture[] = [...wanted].map((key) => {
    const [number, part] = key.split('/') as [string, AtlasPart];
    const index = Number(number);
    let image = shrunk.get(index);
    if (!image) {
      image = images[index]!;
      while (Math.max(image.width, image.height) > largest) image = halve(image);
      shrunk.set(index, image);
    }
    return { key, part, ...image };
  });
  // Shelves: the tallest first, side by side.
  pictures.sort((a, b) => b.height - a.height || b.width - a.width);
  const width = Math.max(1, ...pictures.map((picture) => picture.width));
  const places = new Map<string, AtlasPlace>();
  let [x, y, shelf] = [0, 0, 0];
  for (const picture of pictures) {
    if (x + picture.width > width) [x, y, shelf] = [0, y + shelf, 0];
    places.set(picture.key, { x, y, width: picture.width, height: picture.height });
    x += picture.width;
    shelf = Math.max(shelf, picture.height);
  }
  const height = Math.max(1, y + shelf);
  const texels = new Float32Array(width * height);
  for (const { key, part, data, width: columns, height: rows } of pictures) {
    const at = places.get(key)!;
    for (let row = 0; row < rows; row++) {
      let to = (at.y + row) * width + at.x;
      for (let from = row * columns * 4; from < (row + 1) * columns * 4; from += 4, to++) {
        texels[to] =
          part === 'rgb' ? data[from]! * 65_536 + data[from + 1]! * 256 + data[from + 2]! : data[from + 3]! * 65_793;
      }
    }
  }
  return { width, height, texels, place: (image, part) => places.get(`${image}/${part}`) ?? null };
}

/** A picture of half the size, each texel the mean of those that it covers. */
export function halve({ width, height, data }: TextureImage): TextureImage {
  const [w, h] = [Math.max(1, width >> 1), Math.max(1, height >> 1)];
  const out = new Uint8Array(w * h * 4);
  for (let y = 0; y < h; y++) {
    const row0 = Math.min(height - 1, 2 * y) * width;
    const row1 = Math.min(height - 1, 2 * y + 1) * width;
    for (let x = 0; x < w; x++) {
      const [x0, x1] = [Math.min(width - 1, 2 * x), Math.min(width - 1, 2 * x + 1)];
      for (let k = 0; k < 4; k++) {
        const sum =
          data[(row0 + x0) * 4 + k]! +
          data[(row0 + x1) * 4 + k]! +
          data[(row1 + x0) * 4 + k]! +
          data[(row1 + x1) * 4 + k]!;
        out[(y * w + x) * 4 + k] = (sum + 2) >> 2;
      }
    }
  }
  return { width: w, height: h, data: out };
}
