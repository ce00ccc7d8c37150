/**
 * The ray-cast kernels. gpu.js translates these plain functions (to WebAssembly with SIMD, to WGSL or GLSL), so they have no
 * helpers, no closures and numbers only. Rows of their arguments are those of `tables.ts` and `flatten.ts`.
 *
 * `view`: 0 right, 3 up, 6 back, 9 eye, 12 near, 13 size of a pixel, 14 and 15 the picture's middle, 16 end of the scene's list,
 * 17 orthographic, 18 and 19 first pixel, 20 see-through surfaces rather than the others, 21 lights, 22 and 23 size of the
 * environment's picture, 24 whether there is one.
 */
import type { IKernelFunctionThis } from 'gpu.js';

type Rows = number[][];
type Planes = number[][][];
type Pixel<Constants extends Record<string, number> = Record<string, never>> = IKernelFunctionThis<Constants>;

/** Nearest hit of the ray through each pixel's middle: instance (-1 for none), triangle, barycentrics u and v. */
export function findHit(
  this: Pixel<{ maxSteps: number }>,
  view: number[],
  boxes: Rows,
  triangles: Rows,
  instances: Rows,
  corners: Rows,
  vertices: Rows,
  materials: Rows,
  texels: Rows,
): [number, number, number, number] {
  const sx = (view[18]! + this.thread.x + 0.5 - view[14]!) * view[13]!;
  const sy = (view[15]! - view[19]! - this.thread.y - 0.5) * view[13]!;
  const flat = view[17]!;
  const lens = 1 - flat;
  // Perspective: from the eye, through the pixel. Orthographic: from the pixel, backwards along the third axis.
  let wx = (view[0]! * sx + view[3]! * sy) * lens - view[6]!;
  let wy = (view[1]! * sx + view[4]! * sy) * lens - view[7]!;
  let wz = (view[2]! * sx + view[5]! * sy) * lens - view[8]!;
  const px = view[9]! + (view[0]! * sx + view[3]! * sy) * flat + wx * view[12]!;
  const py = view[10]! + (view[1]! * sx + view[4]! * sy) * flat + wy * view[12]!;
  const pz = view[11]! + (view[2]! * sx + view[5]! * sy) * flat + wz * view[12]!;
  const unit = 1 / Math.sqrt(wx * wx + wy * wy + wz * wz);
  wx = wx * unit;
  wy = wy * unit;
  wz = wz * unit;
  // Never zero, so that no reciprocal is infinite.
  if (Math.abs(wx) < 1e-12) wx = 1e-12;
  if (Math.abs(wy) < 1e-12) wy = 1e-12;
  if (Math.abs(wz) < 1e-12) wz = 1e-12;
  let ox = px;
  let oy = py;
  let oz = pz;
  let dx = wx;
  let dy = wy;
  let dz = wz;
  let rx = 1 / dx;
  let ry = 1 / dy;
  let rz = 1 / dz;
  let at = 0;
  let end = view[16]!;
  let resume = 0;
  let current = -1;
  let kind = 0;
  let best = 1e30;
  let bestInstance = -1;
  let bestTriangle = -1;
  let bestU = 0;
  let bestV = 0;
  for (let step = 0; step < this.constants.maxSteps; step++) {
    if (at >= end) {
      if (current < 0) break;
      at = resume;
      end = view[16]!;
      current = -1;
      ox = px;
      oy = py;
      oz = pz;
      dx = wx;
      dy = wy;
      dz = wz;
      rx = 1 / dx;
      ry = 1 / dy;
      rz = 1 / dz;
    } else {
      const ax = (boxes[at]![0]! - ox) * rx;
      const bx = (boxes[at]![3]! - ox) * rx;
      const ay = (boxes[at]![1]! - oy) * ry;
      const by = (boxes[at]![4]! - oy) * ry;
      const az = (boxes[at]![2]! - oz) * rz;
      const bz = (boxes[at]![5]! - oz) * rz;
      const near = Math.max(Math.max(Math.min(ax, bx), Math.min(ay, by)), Math.max(Math.min(az, bz), 0));
      const far = Math.min(Math.min(Math.max(ax, bx), Math.max(ay, by)), Math.min(Math.max(az, bz), best));
      if (near <= far * 1.000001) {
        const holds = boxes[at]![7]!;
        if (holds < 0.5) {
          at = at + 1;
        } else if (current < 0) {
          const k = holds - 1;
          resume = boxes[at]![6]!;
          kind = instances[k]![14]!;
          let wanted = 1;
          if (kind > 1.5) wanted = 0;
          if (view[20]! > 0.5) wanted = 1 - wanted;
          if (wanted > 0.5) {
            current = k;
            ox = instances[k]![0]! * px + instances[k]![3]! * py + instances[k]![6]! * pz + instances[k]![9]!;
            oy = instances[k]![1]! * px + instances[k]![4]! * py + instances[k]![7]! * pz + instances[k]![10]!;
            oz = instances[k]![2]! * px + instances[k]![5]! * py + instances[k]![8]! * pz + instances[k]![11]!;
            dx = instances[k]![0]! * wx + instances[k]![3]! * wy + instances[k]![6]! * wz;
            dy = instances[k]![1]! * wx + instances[k]![4]! * wy + instances[k]![7]! * wz;
            dz = instances[k]![2]! * wx + instances[k]![5]! * wy + instances[k]![8]! * wz;
            if (Math.abs(dx) < 1e-18) dx = 1e-18;
            if (Math.abs(dy) < 1e-18) dy = 1e-18;
            if (Math.abs(dz) < 1e-18) dz = 1e-18;
            rx = 1 / dx;
            ry = 1 / dy;
            rz = 1 / dz;
            at = instances[k]![12]!;
            end = instances[k]![13]!;
          } else {
            at = resume;
          }
        } else {
          let k = holds - 1;
          let last = 0;
          for (let n = 0; n < 4; n++) {
            if (last < 0.5) {
              const e1x = triangles[k]![3]!;
              const e1y = triangles[k]![4]!;
              const e1z = triangles[k]![5]!;
              const e2x = triangles[k]![6]!;
              const e2y = triangles[k]![7]!;
              const e2z = triangles[k]![8]!;
              const qx = dy * e2z - dz * e2y;
              const qy = dz * e2x - dx * e2z;
              const qz = dx * e2y - dy * e2x;
              const inverse = 1 / (e1x * qx + e1y * qy + e1z * qz);
              const tx = ox - triangles[k]![0]!;
              const ty = oy - triangles[k]![1]!;
              const tz = oz - triangles[k]![2]!;
              const u = (tx * qx + ty * qy + tz * qz) * inverse;
              const hx = ty * e1z - tz * e1y;
              const hy = tz * e1x - tx * e1z;
              const hz = tx * e1y - ty * e1x;
              const v = (dx * hx + dy * hy + dz * hz) * inverse;
              const t = (e2x * hx + e2y * hy + e2z * hz) * inverse;
              // Edges overlap by a hair, so that neighbours leave no gap between them.
              if (u >= -0.000001 && v >= -0.000001 && u + v <= 1.000001 && t > 0 && t < best) {
                let passes = 1;
                if (kind > 0.5) {
                  const m = instances[current]![15]!;
                  let alpha = materials[m]![3]!;
                  const row = instances[current]![16]! + triangles[k]![9]!;
                  const i0 = corners[row]![0]!;
                  const i1 = corners[row]![1]!;
                  const i2 = corners[row]![2]!;
                  alpha = alpha * (vertices[i0]![10]! * (1 - u - v) + vertices[i1]![10]! * u + vertices[i2]![10]! * v);
                  if (materials[m]![32]! > 0.5) {
                    const c = 3 + 2 * materials[m]![40]!;
                    const s0 = vertices[i0]![c]! * (1 - u - v) + vertices[i1]![c]! * u + vertices[i2]![c]! * v;
                    const t0 =
                      vertices[i0]![c + 1]! * (1 - u - v) + vertices[i1]![c + 1]! * u + vertices[i2]![c + 1]! * v;
                    let s = materials[m]![42]! * s0 + materials[m]![43]! * t0 + materials[m]![44]!;
                    let r = materials[m]![45]! * s0 + materials[m]![46]! * t0 + materials[m]![47]!;
                    if (materials[m]![37]! < 0.5) s = s - Math.floor(s);
                    if (materials[m]![37]! > 1.5) s = 1 - Math.abs(1 - (s - 2 * Math.floor(s * 0.5)));
                    if (materials[m]![38]! < 0.5) r = r - Math.floor(r);
                    if (materials[m]![38]! > 1.5) r = 1 - Math.abs(1 - (r - 2 * Math.floor(r * 0.5)));
                    const w = materials[m]![35]!;
                    const h = materials[m]![36]!;
                    const cx = Math.min(Math.max(Math.floor(s * w), 0), w - 1);
                    const cy = Math.min(Math.max(Math.floor(r * h), 0), h - 1);
                    alpha = (alpha * texels[materials[m]![34]! + cy]![materials[m]![33]! + cx]!) / 16777215;
                  }
                  if (alpha < materials[m]![10]!) passes = 0;
                }
                if (passes > 0.5) {
                  best = t;
                  bestU = u;
                  bestV = v;
                  bestInstance = current;
                  bestTriangle = triangles[k]![9]!;
                }
              }
              last = triangles[k]![10]!;
              k = k + 1;
            }
          }
          at = boxes[at]![6]!;
        }
      } else {
        at = boxes[at]![6]!;
      }
    }
  }
  return [bestInstance, bestTriangle, bestU, bestV];
}

/** Texture coordinates of both sets: u0, v0, u1, v1. */
export function textureCoordinates(this: Pixel, hits: Planes, instances: Rows, corners: Rows, vertices: Rows): number {
  const instance = hits[this.thread.y]![this.thread.x]![0]!;
  if (instance < 0) return 0;
  const u = hits[this.thread.y]![this.thread.x]![2]!;
  const v = hits[this.thread.y]![this.thread.x]![3]!;
  const row = instances[instance]![16]! + hits[this.thread.y]![this.thread.x]![1]!;
  const c = 3 + this.thread.z;
  return (
    vertices[corners[row]![0]!]![c]! * (1 - u - v) +
    vertices[corners[row]![1]!]![c]! * u +
    vertices[corners[row]![2]!]![c]! * v
  );
}

/** One texture slot, bilinear: red, green, blue (as many planes as wanted), decoded where it is sRGB; 1 without a texture. */
export function sampleSlot(
  this: Pixel<{ slot: number }>,
  hits: Planes,
  coordinates: Planes,
  instances: Rows,
  materials: Rows,
  texels: Rows,
): number {
  const instance = hits[this.thread.y]![this.thread.x]![0]!;
  if (instance < 0) return 0;
  const m = instances[instance]![15]!;
  const o = this.constants.slot;
  if (materials[m]![o]! < 0.5) return 1;
  const c = 2 * materials[m]![o + 8]!;
  const s0 = coordinates[c]![this.thread.y]![this.thread.x]!;
  const t0 = coordinates[c + 1]![this.thread.y]![this.thread.x]!;
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
  let x = Math.min(Math.max(s, 0), 1) * w - 0.5;
  let y = Math.min(Math.max(t, 0), 1) * h - 0.5;
  if (materials[m]![o + 7]! > 0.5) {
    x = Math.floor(x + 0.5);
    y = Math.floor(y + 0.5);
  }
  const fx = x - Math.floor(x);
  const fy = y - Math.floor(y);
  let sum = 0;
  for (let tap = 0; tap < 4; tap++) {
    const i = tap % 2;
    const j = Math.floor(tap / 2);
    let cx = Math.floor(x) + i;
    let cy = Math.floor(y) + j;
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
    let value = texel - 256 * Math.floor(texel / 256);
    if (this.thread.z < 0.5) value = Math.floor(texel / 65536);
    else if (this.thread.z < 1.5) value = Math.floor(texel / 256) - 256 * Math.floor(texel / 65536);
    value = value / 255;
    // sRGB to linear by a cubic, within 0.002.
    if (materials[m]![o + 9]! > 0.5) value = value * (value * (value * 0.305306011 + 0.682171111) + 0.012522878);
    sum += value * (i * fx + (1 - i) * (1 - fx)) * (j * fy + (1 - j) * (1 - fy));
  }
  return sum;
}

/** Base colour: factor, texture and vertex colour. */
export function baseColour(
  this: Pixel,
  hits: Planes,
  texture: Planes,
  instances: Rows,
  corners: Rows,
  vertices: Rows,
  materials: Rows,
): number {
  const instance = hits[this.thread.y]![this.thread.x]![0]!;
  if (instance < 0) return 0;
  const u = hits[this.thread.y]![this.thread.x]![2]!;
  const v = hits[this.thread.y]![this.thread.x]![3]!;
  const row = instances[instance]![16]! + hits[this.thread.y]![this.thread.x]![1]!;
  const c = 7 + this.thread.z;
  const colour =
    vertices[corners[row]![0]!]![c]! * (1 - u - v) +
    vertices[corners[row]![1]!]![c]! * u +
    vertices[corners[row]![2]!]![c]! * v;
  return (
    colour *
    materials[instances[instance]![15]!]![this.thread.z]! *
    texture[this.thread.z]![this.thread.y]![this.thread.x]!
  );
}

/** World normal, bent by the normal map and turned to the viewer; 0 where nothing was hit. */
export function shadingNormal(
  this: Pixel,
  view: number[],
  hits: Planes,
  bend: Planes,
  instances: Rows,
  corners: Rows,
  vertices: Rows,
  materials: Rows,
): number {
  const k = hits[this.thread.y]![this.thread.x]![0]!;
  if (k < 0) return 0;
  const u = hits[this.thread.y]![this.thread.x]![2]!;
  const v = hits[this.thread.y]![this.thread.x]![3]!;
  const b = 1 - u - v;
  const row = instances[k]![16]! + hits[this.thread.y]![this.thread.x]![1]!;
  const i0 = corners[row]![0]!;
  const i1 = corners[row]![1]!;
  const i2 = corners[row]![2]!;
  const ax = vertices[i0]![0]! * b + vertices[i1]![0]! * u + vertices[i2]![0]! * v;
  const ay = vertices[i0]![1]! * b + vertices[i1]![1]! * u + vertices[i2]![1]! * v;
  const az = vertices[i0]![2]! * b + vertices[i1]![2]! * u + vertices[i2]![2]! * v;
  // The inverse's columns, transposed, carry normals.
  let nx = instances[k]![0]! * ax + instances[k]![1]! * ay + instances[k]![2]! * az;
  let ny = instances[k]![3]! * ax + instances[k]![4]! * ay + instances[k]![5]! * az;
  let nz = instances[k]![6]! * ax + instances[k]![7]! * ay + instances[k]![8]! * az;
  let unit = 1 / Math.sqrt(Math.max(nx * nx + ny * ny + nz * nz, 1e-30));
  nx = nx * unit;
  ny = ny * unit;
  nz = nz * unit;
  const m = instances[k]![15]!;
  if (materials[m]![64]! > 0.5) {
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
      const mx = (bend[0]![this.thread.y]![this.thread.x]! * 2 - 1) * strength;
      const my = (bend[1]![this.thread.y]![this.thread.x]! * 2 - 1) * strength;
      const mz = bend[2]![this.thread.y]![this.thread.x]! * 2 - 1;
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
  const sx = (view[18]! + this.thread.x + 0.5 - view[14]!) * view[13]! * (1 - view[17]!);
  const sy = (view[15]! - view[19]! - this.thread.y - 0.5) * view[13]! * (1 - view[17]!);
  const wx = view[0]! * sx + view[3]! * sy - view[6]!;
  const wy = view[1]! * sx + view[4]! * sy - view[7]!;
  const wz = view[2]! * sx + view[5]! * sy - view[8]!;
  let turn = 1;
  if (nx * wx + ny * wy + nz * wz > 0) turn = -1;
  if (this.thread.z < 0.5) return nx * turn;
  if (this.thread.z < 1.5) return ny * turn;
  return nz * turn;
}

/** Where in a latitude-longitude picture the ray (or its reflection, where it hit) looks: across and down, 0 to 1. */
export function lookDirection(this: Pixel, view: number[], hits: Planes, normal: Planes): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const sx = (view[18]! + x + 0.5 - view[14]!) * view[13]! * (1 - view[17]!);
  const sy = (view[15]! - view[19]! - y - 0.5) * view[13]! * (1 - view[17]!);
  let wx = view[0]! * sx + view[3]! * sy - view[6]!;
  let wy = view[1]! * sx + view[4]! * sy - view[7]!;
  let wz = view[2]! * sx + view[5]! * sy - view[8]!;
  const unit = 1 / Math.sqrt(wx * wx + wy * wy + wz * wz);
  wx = wx * unit;
  wy = wy * unit;
  wz = wz * unit;
  if (hits[y]![x]![0]! >= 0) {
    const nx = normal[0]![y]![x]!;
    const ny = normal[1]![y]![x]!;
    const nz = normal[2]![y]![x]!;
    const facing = Math.max(-(nx * wx + ny * wy + nz * wz), 0.01);
    wx = wx + 2 * facing * nx;
    wy = wy + 2 * facing * ny;
    wz = wz + 2 * facing * nz;
  }
  if (this.thread.z < 0.5) return 0.5 + Math.atan2(wx, -wz) * 0.15915494;
  return Math.acos(Math.min(Math.max(wy, -1), 1)) * 0.31830989;
}

/**
 * Light towards the camera, one plane a channel: irradiance on the diffuse part, blurred environment on the mirror part (Karis 2014,
 * "Physically Based Shading on Mobile"), punctual lights (Lambert and GGX), emission. The fourth plane is how much the surface hides of
 * what lies behind.
 */
export function shade(
  this: Pixel,
  view: number[],
  hits: Planes,
  base: Planes,
  rough: Planes,
  normal: Planes,
  glow: Planes,
  clear: Planes,
  hide: Planes,
  instances: Rows,
  materials: Rows,
  corners: Rows,
  vertices: Rows,
  lights: Rows,
  irradiance: Rows,
  sharp: Rows,
  blurred: Rows,
  positions: Planes,
  looks: Planes,
): number {
  const x = this.thread.x;
  const y = this.thread.y;
  const c = this.thread.z;
  const sx = (view[18]! + x + 0.5 - view[14]!) * view[13]! * (1 - view[17]!);
  const sy = (view[15]! - view[19]! - y - 0.5) * view[13]! * (1 - view[17]!);
  let wx = view[0]! * sx + view[3]! * sy - view[6]!;
  let wy = view[1]! * sx + view[4]! * sy - view[7]!;
  let wz = view[2]! * sx + view[5]! * sy - view[8]!;
  const unit = 1 / Math.sqrt(wx * wx + wy * wy + wz * wz);
  wx = wx * unit;
  wy = wy * unit;
  wz = wz * unit;
  const k = hits[y]![x]![0]!;
  let m = 0;
  let alpha = 0;
  let level = 0;
  let nx = 0;
  let ny = 0;
  let nz = 0;
  let facing = 1;
  if (k >= 0) {
    m = instances[k]![15]!;
    if (instances[k]![14]! > 1.5) {
      const u = hits[y]![x]![2]!;
      const v = hits[y]![x]![3]!;
      const row = instances[k]![16]! + hits[y]![x]![1]!;
      alpha =
        materials[m]![3]! *
        hide[0]![y]![x]! *
        (vertices[corners[row]![0]!]![10]! * (1 - u - v) +
          vertices[corners[row]![1]!]![10]! * u +
          vertices[corners[row]![2]!]![10]! * v);
    } else {
      alpha = 1;
    }
    nx = normal[0]![y]![x]!;
    ny = normal[1]![y]![x]!;
    nz = normal[2]![y]![x]!;
    facing = Math.max(-(nx * wx + ny * wy + nz * wz), 0.01);
    level = 4 * Math.min(Math.max(materials[m]![8]! * rough[1]![y]![x]!, 0), 1);
  }
  const through = materials[m]![11]! * clear[0]![y]![x]!;
  if (c > 2.5) return alpha * (1 - through);
  // Environment in the direction of the ray or of its reflection.
  const turnU = looks[0]![y]![x]!;
  const turnV = looks[1]![y]![x]!;
  let crisp = 0;
  if (level < 1 && view[24]! > 0.5) {
    const ex = turnU * view[22]! - 0.5;
    const ey = turnV * view[23]! - 0.5;
    const fx = ex - Math.floor(ex);
    const fy = ey - Math.floor(ey);
    for (let tap = 0; tap < 4; tap++) {
      const i = tap % 2;
      const j = Math.floor(tap / 2);
      let cx = Math.floor(ex) + i;
      if (cx < 0) cx = cx + view[22]!;
      if (cx >= view[22]!) cx = cx - view[22]!;
      const cy = Math.min(Math.max(Math.floor(ey) + j, 0), view[23]! - 1);
      crisp += sharp[cy]![cx * 3 + c]! * (i * fx + (1 - i) * (1 - fx)) * (j * fy + (1 - j) * (1 - fy));
    }
  }
  if (k < 0) return crisp;
  const albedo = base[c]![y]![x]!;
  if (materials[m]![12]! > 0.5) return albedo * alpha;
  const bx = turnU * 64 - 0.5;
  const by = turnV * 32 - 0.5;
  const gx = bx - Math.floor(bx);
  const gy = by - Math.floor(by);
  let lower = 0;
  let upper = 0;
  const first = Math.max(Math.floor(level) - 1, 0);
  const second = Math.min(Math.floor(level), 3);
  for (let tap = 0; tap < 4; tap++) {
    const i = tap % 2;
    const j = Math.floor(tap / 2);
    let cx = Math.floor(bx) + i;
    if (cx < 0) cx = cx + 64;
    if (cx >= 64) cx = cx - 64;
    const cy = Math.min(Math.max(Math.floor(by) + j, 0), 31);
    const weight = (i * gx + (1 - i) * (1 - gx)) * (j * gy + (1 - j) * (1 - gy));
    lower += blurred[first * 32 + cy]![cx * 3 + c]! * weight;
    upper += blurred[second * 32 + cy]![cx * 3 + c]! * weight;
  }
  if (level < 1) {
    if (view[24]! > 0.5) lower = crisp;
  }
  const between = level - Math.floor(level);
  let mirrored = lower * (1 - between) + upper * between;
  if (level >= 4) mirrored = upper;
  const metal = Math.min(Math.max(materials[m]![7]! * rough[2]![y]![x]!, 0), 1);
  const f0 = 0.04 * (1 - metal) + albedo * metal;
  const roughness = level * 0.25;
  const q0 = 1 - roughness;
  const q1 = 0.0425 - 0.0275 * roughness;
  const q2 = 1.04 - 0.572 * roughness;
  const q3 = 0.022 * roughness - 0.04;
  const a4 = Math.min(q0 * q0, Math.exp(-6.4324 * facing)) * q0 + q1;
  const scale = q2 - 1.04 * a4;
  const offset = q3 + 1.04 * a4;
  let diffuse =
    irradiance[0]![c]! +
    irradiance[1]![c]! * ny +
    irradiance[2]![c]! * nz +
    irradiance[3]![c]! * nx +
    irradiance[4]![c]! * nx * ny +
    irradiance[5]![c]! * ny * nz +
    irradiance[6]![c]! * (3 * nz * nz - 1) +
    irradiance[7]![c]! * nx * nz +
    irradiance[8]![c]! * (nx * nx - ny * ny);
  diffuse = Math.max(diffuse, 0);
  let specular = mirrored * (f0 * scale + offset);
  const a2 = Math.max(roughness * roughness * roughness * roughness, 0.0001);
  for (let n = 0; n < view[21]!; n++) {
    let lx = lights[n]![3]!;
    let ly = lights[n]![4]!;
    let lz = lights[n]![5]!;
    let power = 1;
    if (lights[n]![11]! < 1.5) {
      lx = lights[n]![0]! - positions[0]![y]![x]!;
      ly = lights[n]![1]! - positions[1]![y]![x]!;
      lz = lights[n]![2]! - positions[2]![y]![x]!;
      const d2 = Math.max(lx * lx + ly * ly + lz * lz, 1e-8);
      const inverse = 1 / Math.sqrt(d2);
      lx = lx * inverse;
      ly = ly * inverse;
      lz = lz * inverse;
      power = 1 / d2;
      if (lights[n]![11]! > 0.5) {
        const cone =
          (lx * lights[n]![3]! + ly * lights[n]![4]! + lz * lights[n]![5]!) * lights[n]![9]! + lights[n]![10]!;
        const inside = Math.min(Math.max(cone, 0), 1);
        power = power * inside * inside;
      }
    }
    const cosine = nx * lx + ny * ly + nz * lz;
    if (cosine > 0) {
      const e = lights[n]![6 + c]! * power * cosine;
      let hx = lx - wx;
      let hy = ly - wy;
      let hz = lz - wz;
      const half = 1 / Math.sqrt(Math.max(hx * hx + hy * hy + hz * hz, 1e-12));
      hx = hx * half;
      hy = hy * half;
      hz = hz * half;
      const nh = nx * hx + ny * hy + nz * hz;
      const lh = Math.max(lx * hx + ly * hy + lz * hz, 0);
      const lobe = nh * nh * (a2 - 1) + 1;
      const a = roughness * roughness;
      const visibility = 0.5 / (cosine * (facing * (1 - a) + a) + facing * (cosine * (1 - a) + a));
      const graze = (1 - lh) * (1 - lh);
      const fresnel = f0 + (1 - f0) * graze * graze * (1 - lh);
      specular += ((e * a2 * 0.31830989) / (lobe * lobe)) * visibility * fresnel;
      diffuse += e * 0.31830989;
    }
  }
  const glows = materials[m]![4 + c]! * glow[c]![y]![x]!;
  return (diffuse * albedo * (1 - metal) * (1 - through) + specular + glows) * alpha;
}
