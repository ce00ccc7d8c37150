/** What the surface that a pixel's ray meets looks like: textures, colour, normal. See `find.ts` for `view` and rows. */
import type { Four, Pixel, Pixels, Rows } from './find.ts';

/**
 * Textures, one below the other: plane n (of `view[25]` lines) is the slot that begins at `slots[n]` of a material's row. Bilinear,
 * decoded where it is sRGB; 1 without a texture.
 */
export function sampleTextures(
  this: Pixel,
  view: number[],
  slots: number[],
  hits: Pixels,
  instances: Rows,
  corners: Rows,
  vertices: Rows,
  materials: Rows,
  texels: Rows,
): Four {
  const plane = Math.floor((this.thread.y + 0.5) / view[25]!);
  const y = this.thread.y - plane * view[25]!;
  const x = this.thread.x;
  const instance = hits[y]![x]![0]!;
  let red = 1;
  let green = 1;
  let blue = 1;
  if (instance >= 0) {
    const m = instances[instance]![15]!;
    const o = slots[plane]!;
    if (materials[m]![o]! > 0.5) {
      const u = hits[y]![x]![2]!;
      const v = hits[y]![x]![3]!;
      const row = instances[instance]![16]! + hits[y]![x]![1]!;
      const i0 = corners[row]![0]!;
      const i1 = corners[row]![1]!;
      const i2 = corners[row]![2]!;
      const c = 3 + 2 * materials[m]![o + 8]!;
      const s0 = vertices[i0]![c]! * (1 - u - v) + vertices[i1]![c]! * u + vertices[i2]![c]! * v;
      const t0 = vertices[i0]![c + 1]! * (1 - u - v) + vertices[i1]![c + 1]! * u + vertices[i2]![c + 1]! * v;
      let s = materials[m]![o + 10]! * s0 + materials[m]![o + 11]! * t0 + materials[m]![o + 12]!;
      let t = materials[m]![o + 13]! * s0 + materials[m]![o + 14]! * t0 + materials[m]![o + 15]!;
      const wrapS = materials[m]![o + 5]!;
      const wrapT = materials[m]![o + 6]!;
      if (wrapS < 0.5) s = s - Math.floor(s);
      if (wrapS > 1.5) s = 1 - Math.abs(1 - (s - 2 * Math.floor(s * 0.5)));
      if (wrapT < 0.5) t = t - Math.floor(t);
      if (wrapT > 1.5) t = 1 - Math.abs(1 - (t - 2 * Math.floor(t * 0.5)));
      const w = materials[m]![o + 3]!;
      const h = materials[m]![o + 4]!;
      let px = Math.min(Math.max(s, 0), 1) * w - 0.5;
      let py = Math.min(Math.max(t, 0), 1) * h - 0.5;
      if (materials[m]![o + 7]! > 0.5) {
        px = Math.floor(px + 0.5);
        py = Math.floor(py + 0.5);
      }
      const fx = px - Math.floor(px);
      const fy = py - Math.floor(py);
      const isCurved = materials[m]![o + 9]!;
      red = 0;
      green = 0;
      blue = 0;
      for (let tap = 0; tap < 4; tap++) {
        const i = tap % 2;
        const j = Math.floor(tap / 2);
        let cx = Math.floor(px) + i;
        let cy = Math.floor(py) + j;
        if (wrapS < 0.5) {
          if (cx < 0) cx = cx + w;
          if (cx >= w) cx = cx - w;
        }
        if (wrapT < 0.5) {
          if (cy < 0) cy = cy + h;
          if (cy >= h) cy = cy - h;
        }
        cx = materials[m]![o + 1]! + Math.min(Math.max(cx, 0), w - 1);
        cy = materials[m]![o + 2]! + Math.min(Math.max(cy, 0), h - 1);
        const texel = texels[cy]![cx]!;
        const high = Math.floor(texel / 65536);
        const middle = Math.floor(texel / 256);
        let r = high / 255;
        let g = (middle - 256 * high) / 255;
        let b = (texel - 256 * middle) / 255;
        // sRGB to linear by a cubic, within 0.002.
        if (isCurved > 0.5) {
          r = r * (r * (r * 0.305306011 + 0.682171111) + 0.012522878);
          g = g * (g * (g * 0.305306011 + 0.682171111) + 0.012522878);
          b = b * (b * (b * 0.305306011 + 0.682171111) + 0.012522878);
        }
        const weight = (i * fx + (1 - i) * (1 - fx)) * (j * fy + (1 - j) * (1 - fy));
        red += r * weight;
        green += g * weight;
        blue += b * weight;
      }
    }
  }
  return [red, green, blue, 1];
}

/**
 * What two kernels share that look at the surface itself. Both begin by looking its corners up: a helper cannot, since gpu.js 2.24
 * hands no tables to helpers in WebAssembly, and calls them lane by lane.
 */
type SurfaceKernel = (
  this: Pixel,
  view: number[],
  hits: Pixels,
  textures: Pixels,
  instances: Rows,
  corners: Rows,
  vertices: Rows,
  materials: Rows,
) => Four;

/** Base colour (factor, texture and vertex colour), and how much of what lies behind the surface its alpha hides. */
export const baseColour: SurfaceKernel = function (view, hits, textures, instances, corners, vertices, materials) {
  const x = this.thread.x;
  const y = this.thread.y;
  const instance = hits[y]![x]![0]!;
  let red = 0;
  let green = 0;
  let blue = 0;
  let hides = 0;
  if (instance >= 0) {
    const u = hits[y]![x]![2]!;
    const v = hits[y]![x]![3]!;
    const b = 1 - u - v;
    const row = instances[instance]![16]! + hits[y]![x]![1]!;
    const i0 = corners[row]![0]!;
    const i1 = corners[row]![1]!;
    const i2 = corners[row]![2]!;
    const m = instances[instance]![15]!;
    red = (vertices[i0]![7]! * b + vertices[i1]![7]! * u + vertices[i2]![7]! * v) * materials[m]![0]!;
    green = (vertices[i0]![8]! * b + vertices[i1]![8]! * u + vertices[i2]![8]! * v) * materials[m]![1]!;
    blue = (vertices[i0]![9]! * b + vertices[i1]![9]! * u + vertices[i2]![9]! * v) * materials[m]![2]!;
    if (view[26]! >= 0) {
      const line = view[26]! * view[25]! + y;
      red = red * textures[line]![x]![0]!;
      green = green * textures[line]![x]![1]!;
      blue = blue * textures[line]![x]![2]!;
    }
    hides = 1;
    if (instances[instance]![14]! > 1.5) {
      hides = (vertices[i0]![10]! * b + vertices[i1]![10]! * u + vertices[i2]![10]! * v) * materials[m]![3]!;
      if (view[27]! >= 0) hides = hides * textures[view[27]! * view[25]! + y]![x]![0]!;
    }
  }
  return [red, green, blue, hides];
};

/** World normal, bent by the normal map and turned to the viewer; 0 where nothing was hit. */
export const shadingNormal: SurfaceKernel = function (view, hits, textures, instances, corners, vertices, materials) {
  const x = this.thread.x;
  const y = this.thread.y;
  const k = hits[y]![x]![0]!;
  let nx = 0;
  let ny = 0;
  let nz = 0;
  if (k >= 0) {
    const u = hits[y]![x]![2]!;
    const v = hits[y]![x]![3]!;
    const b = 1 - u - v;
    const row = instances[k]![16]! + hits[y]![x]![1]!;
    const i0 = corners[row]![0]!;
    const i1 = corners[row]![1]!;
    const i2 = corners[row]![2]!;
    const ax = vertices[i0]![0]! * b + vertices[i1]![0]! * u + vertices[i2]![0]! * v;
    const ay = vertices[i0]![1]! * b + vertices[i1]![1]! * u + vertices[i2]![1]! * v;
    const az = vertices[i0]![2]! * b + vertices[i1]![2]! * u + vertices[i2]![2]! * v;
    // The inverse's columns, transposed, carry normals.
    nx = instances[k]![0]! * ax + instances[k]![1]! * ay + instances[k]![2]! * az;
    ny = instances[k]![3]! * ax + instances[k]![4]! * ay + instances[k]![5]! * az;
    nz = instances[k]![6]! * ax + instances[k]![7]! * ay + instances[k]![8]! * az;
    let unit = 1 / Math.sqrt(Math.max(nx * nx + ny * ny + nz * nz, 1e-30));
    nx = nx * unit;
    ny = ny * unit;
    nz = nz * unit;
    const m = instances[k]![15]!;
    if (materials[m]![64]! > 0.5) {
      const line = view[29]! * view[25]! + y;
      const qx = vertices[i0]![11]! * b + vertices[i1]![11]! * u + vertices[i2]![11]! * v;
      const qy = vertices[i0]![12]! * b + vertices[i1]![12]! * u + vertices[i2]![12]! * v;
      const qz = vertices[i0]![13]! * b + vertices[i1]![13]! * u + vertices[i2]![13]! * v;
      let tx = instances[k]![17]! * qx + instances[k]![20]! * qy + instances[k]![23]! * qz;
      let ty = instances[k]![18]! * qx + instances[k]![21]! * qy + instances[k]![24]! * qz;
      let tz = instances[k]![19]! * qx + instances[k]![22]! * qy + instances[k]![25]! * qz;
      const along = tx * nx + ty * ny + tz * nz;
      tx = tx - along * nx;
      ty = ty - along * ny;
      tz = tz - along * nz;
      const length2 = tx * tx + ty * ty + tz * tz;
      if (length2 > 1e-20) {
        unit = 1 / Math.sqrt(length2);
        let handed = unit;
        if (vertices[i0]![14]! < 0) handed = -unit;
        const strength = materials[m]![9]!;
        const mx = (textures[line]![x]![0]! * 2 - 1) * strength;
        const my = (textures[line]![x]![1]! * 2 - 1) * strength;
        const mz = textures[line]![x]![2]! * 2 - 1;
        const cx = (ny * tz - nz * ty) * handed;
        const cy = (nz * tx - nx * tz) * handed;
        const cz = (nx * ty - ny * tx) * handed;
        nx = tx * unit * mx + cx * my + nx * mz;
        ny = ty * unit * mx + cy * my + ny * mz;
        nz = tz * unit * mx + cz * my + nz * mz;
        unit = 1 / Math.sqrt(Math.max(nx * nx + ny * ny + nz * nz, 1e-30));
        nx = nx * unit;
        ny = ny * unit;
        nz = nz * unit;
      }
    }
    const sx = (view[18]! + x + 0.5 - view[14]!) * view[13]! * (1 - view[17]!);
    const sy = (view[15]! - view[19]! - y - 0.5) * view[13]! * (1 - view[17]!);
    const wx = view[0]! * sx + view[3]! * sy - view[6]!;
    const wy = view[1]! * sx + view[4]! * sy - view[7]!;
    const wz = view[2]! * sx + view[5]! * sy - view[8]!;
    if (nx * wx + ny * wy + nz * wz > 0) {
      nx = -nx;
      ny = -ny;
      nz = -nz;
    }
  }
  return [nx, ny, nz, 0];
};
