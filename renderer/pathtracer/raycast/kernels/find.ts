/**
 * The ray-cast look's first kernel: which surface a pixel's ray meets. gpu.js translates these plain functions (to WebAssembly with
 * SIMD, to WGSL or GLSL), so they have no helpers, no closures and numbers only. Rows of their arguments are those of `tables.ts`
 * and `flatten.ts`.
 *
 * `view`: 0 right, 3 up, 6 back, 9 eye, 12 near, 13 size of a pixel, 14 and 15 the picture's middle, 16 end of the scene's list of
 * such surfaces (32: where it begins),
 * 17 orthographic, 18 and 19 first pixel, 20 see-through surfaces rather than the others, 21 lights, 22 and 23 size of the
 * environment's picture, 24 whether there is one, 25 height of a plane of `textures`, 26 on which plane each slot is (-1: none),
 * in the order base, alpha, roughness, normal, emissive, transmission.
 */
import type { IKernelFunctionThis } from 'gpu.js';

/** A table, a row each. */
export type Rows = number[][];
/** Four numbers a pixel: `[y][x][k]`. */
export type Pixels = number[][][];
export type Four = [number, number, number, number];
export type Pixel<Constants extends Record<string, number> = Record<string, never>> = IKernelFunctionThis<Constants>;

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
): Four {
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
  let at = view[32]!;
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
