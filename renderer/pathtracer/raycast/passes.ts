/** Puts what a pass over a tile found into a picture: solid surfaces first, then what is looked through on top of them. */
import type { TracedPixels } from '../tracer.ts';

/** What one pass over a tile found: row-major, four numbers a pixel. Good until the next pass. */
export interface Pass {
  /** Instance (-1: none), triangle, u, v. */
  hits: Float32Array;
  /** Red, green, blue, and how much of what lies behind is hidden. */
  light: Float32Array;
  base: Float32Array;
  normal: Float32Array;
  positions: Float32Array | null;
  depth: Float32Array;
}

/** Where a tile of the picture begins and how long its lines are. */
interface Tile {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function placeSolid(pass: Pass, tile: Tile, hasEnvironment: boolean, pixels: TracedPixels): void {
  const { hits, light, base, normal: normals, positions, depth: depths } = pass;
  const { beauty, albedo, normal, depth, layers } = pixels;
  const position = positions && layers.position;
  forLines(tile, pixels, (line, first, count) => {
    for (let i = line * 4, to = first, end = first + count; to < end; i += 4, to++) {
      beauty[to * 4] = light[i]!;
      beauty[to * 4 + 1] = light[i + 1]!;
      beauty[to * 4 + 2] = light[i + 2]!;
      beauty[to * 4 + 3] = hasEnvironment || hits[i]! >= 0 ? 1 : 0;
      albedo[to * 3] = base[i]!;
      albedo[to * 3 + 1] = base[i + 1]!;
      albedo[to * 3 + 2] = base[i + 2]!;
      normal[to * 3] = normals[i]!;
      normal[to * 3 + 1] = normals[i + 1]!;
      normal[to * 3 + 2] = normals[i + 2]!;
    }
    depth.set(depths.subarray(line, line + count), first);
    if (!position) return;
    for (let i = line * 4, to = first * 3; to < (first + count) * 3; i += 4, to += 3) {
      for (let k = 0; k < 3; k++) position[to + k] = positions[i + k]!;
    }
  });
}

/** `tints`: of which of the tree's instances the base colour tints what lies behind; others cover it evenly. */
export function placeInFront(pass: Pass, tile: Tile, tints: readonly boolean[], pixels: TracedPixels): void {
  const { hits, light, base, normal: normals, positions, depth: depths } = pass;
  const { beauty, albedo, normal, depth, layers } = pixels;
  forLines(tile, pixels, (line, first, count) => {
    for (let at = line, to = first, end = first + count; to < end; at++, to++) {
      if (!(depths[at]! < depth[to]!)) continue;
      const hides = light[at * 4 + 3]!;
      const isTinting = tints[hits[at * 4]!]!;
      for (let k = 0; k < 3; k++) {
        beauty[to * 4 + k] =
          light[at * 4 + k]! + beauty[to * 4 + k]! * (1 - hides) * (isTinting ? base[at * 4 + k]! : 1);
        albedo[to * 3 + k] = base[at * 4 + k]!;
        normal[to * 3 + k] = normals[at * 4 + k]!;
        if (positions && layers.position) layers.position[to * 3 + k] = positions[at * 4 + k]!;
      }
      if (beauty[to * 4 + 3] !== 1) beauty[to * 4 + 3] = hides;
      depth[to] = depths[at]!;
    }
  });
}

/** Lines of a tile as far as they lie in the picture: the first pixel of each, in the tile and in the picture, and how many. */
function forLines(
  tile: Tile,
  { rect }: TracedPixels,
  each: (inTile: number, inPicture: number, count: number) => void,
): void {
  const count = Math.min(tile.width, rect.x1 - tile.x);
  const lines = Math.min(tile.height, rect.y1 - tile.y);
  for (let row = 0; row < lines; row++) {
    each(row * tile.width, (tile.y + row - rect.y0) * (rect.x1 - rect.x0) + tile.x - rect.x0, count);
  }
}
