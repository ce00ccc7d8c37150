// Where four paths hit something and which way it faces: lane by lane what `describeHit` finds of a Lambertian hit.
import {
  blendOf, columnHigh, columnLow, gather, largestOf, minor, negateWhere, pairHigh, pairLow, splat, storeColumns, sum3, toUnit,
} from './four';
import {
  INSTANCE_FLAGS, INSTANCE_IS_IDENTITY, INSTANCE_MESH, MESH_INDICES, MESH_NORMALS, PACK_IDS, PACK_V1, PACK_V2,
} from './layout';
import { RAY_DIRECTION, RAY_INSTANCE, RAY_TRIANGLE, RAY_U, RAY_V, rayAt } from './packet-rays';
import { OFFSET_SCALE } from './surface';
import { columnScratch } from './wave-paths';
import { PLACE_EDGE1, PLACE_EDGE2, PLACE_NORMAL, PLACE_OFFSET, PLACE_SMOOTH, placeHit } from './wave-place';

/** Positions. */
export let hitX: v128 = i32x4(0, 0, 0, 0);
export let hitY: v128 = i32x4(0, 0, 0, 0);
export let hitZ: v128 = i32x4(0, 0, 0, 0);
/** Geometric normals on the side the rays came from. */
export let planeX: v128 = i32x4(0, 0, 0, 0);
export let planeY: v128 = i32x4(0, 0, 0, 0);
export let planeZ: v128 = i32x4(0, 0, 0, 0);
/** Shading normals. */
export let normalX: v128 = i32x4(0, 0, 0, 0);
export let normalY: v128 = i32x4(0, 0, 0, 0);
export let normalZ: v128 = i32x4(0, 0, 0, 0);
/** How far off the surface rays start. */
export let offsets: v128 = i32x4(0, 0, 0, 0);

/** Address of a triangle's three vertex numbers. */
// @ts-ignore: decorator
@inline function verticesOf(mesh: usize, triangle: i32): usize {
  return <usize>load<u32>(mesh, MESH_INDICES) + <usize>triangle * 12;
}

// @ts-ignore: decorator
@inline function normalAt(normals: usize, vertex: usize): v128 {
  return v128.load(normals + <usize>load<u32>(vertex) * 12);
}

/** Describes the hits of the four paths whose numbers are at `list`. */
// @ts-ignore: decorator
@inline export function describeFour(list: usize): void {
  const ra = rayAt(load<u32>(list));
  const rb = rayAt(load<u32>(list, 4));
  const rc = rayAt(load<u32>(list, 8));
  const rd = rayAt(load<u32>(list, 12));
  const ta = <usize>load<u32>(ra, RAY_TRIANGLE);
  const tb = <usize>load<u32>(rb, RAY_TRIANGLE);
  const tc = <usize>load<u32>(rc, RAY_TRIANGLE);
  const td = <usize>load<u32>(rd, RAY_TRIANGLE);
  const sa = <usize>load<u32>(ra, RAY_INSTANCE);
  const sb = <usize>load<u32>(rb, RAY_INSTANCE);
  const sc = <usize>load<u32>(rc, RAY_INSTANCE);
  const sd = <usize>load<u32>(rd, RAY_INSTANCE);
  const ma = <usize>load<u32>(sa, INSTANCE_MESH);
  const mb = <usize>load<u32>(sb, INSTANCE_MESH);
  const mc = <usize>load<u32>(sc, INSTANCE_MESH);
  const md = <usize>load<u32>(sd, INSTANCE_MESH);
  const na = load<i32>(ta, PACK_IDS);
  const nb = load<i32>(tb, PACK_IDS);
  const nc = load<i32>(tc, PACK_IDS);
  const nd = load<i32>(td, PACK_IDS);
  const va = verticesOf(ma, na);
  const vb = verticesOf(mb, nb);
  const vc = verticesOf(mc, nc);
  const vd = verticesOf(md, nd);
  const one = splat(<f32>1.0);
  const zero = splat(<f32>0.0);

  // The triangles.
  const u = gather(ra + RAY_U, rb + RAY_U, rc + RAY_U, rd + RAY_U);
  const v = gather(ra + RAY_V, rb + RAY_V, rc + RAY_V, rd + RAY_V);
  const w = f32x4.sub(f32x4.sub(one, u), v);
  const ax = gather(ta, tb, tc, td);
  const ay = gather(ta + 16, tb + 16, tc + 16, td + 16);
  const az = gather(ta + 32, tb + 32, tc + 32, td + 32);
  const bx = gather(ta + PACK_V1, tb + PACK_V1, tc + PACK_V1, td + PACK_V1);
  const by = gather(ta + PACK_V1 + 16, tb + PACK_V1 + 16, tc + PACK_V1 + 16, td + PACK_V1 + 16);
  const bz = gather(ta + PACK_V1 + 32, tb + PACK_V1 + 32, tc + PACK_V1 + 32, td + PACK_V1 + 32);
  const cx = gather(ta + PACK_V2, tb + PACK_V2, tc + PACK_V2, td + PACK_V2);
  const cy = gather(ta + PACK_V2 + 16, tb + PACK_V2 + 16, tc + PACK_V2 + 16, td + PACK_V2 + 16);
  const cz = gather(ta + PACK_V2 + 32, tb + PACK_V2 + 32, tc + PACK_V2 + 32, td + PACK_V2 + 32);
  const e1x = f32x4.sub(bx, ax);
  const e1y = f32x4.sub(by, ay);
  const e1z = f32x4.sub(bz, az);
  const e2x = f32x4.sub(cx, ax);
  const e2y = f32x4.sub(cy, ay);
  const e2z = f32x4.sub(cz, az);
  let px = blendOf(ax, bx, cx, w, u, v);
  let py = blendOf(ay, by, cy, w, u, v);
  let pz = blendOf(az, bz, cz, w, u, v);
  const size1 = largestOf(e1x, e1y, e1z);
  const size2 = largestOf(e2x, e2y, e2z);
  const unitSize = f32x4.div(one, f32x4.pmax(size1, size2));
  const f1x = f32x4.mul(e1x, unitSize);
  const f1y = f32x4.mul(e1y, unitSize);
  const f1z = f32x4.mul(e1z, unitSize);
  const f2x = f32x4.mul(e2x, unitSize);
  const f2y = f32x4.mul(e2y, unitSize);
  const f2z = f32x4.mul(e2z, unitSize);
  let gx = minor(f1y, f2z, f1z, f2y);
  let gy = minor(f1z, f2x, f1x, f2z);
  let gz = minor(f1x, f2y, f1y, f2x);
  let factor = toUnit(sum3(gx, gx, gy, gy, gz, gz));
  gx = f32x4.mul(gx, factor);
  gy = f32x4.mul(gy, factor);
  gz = f32x4.mul(gz, factor);
  let offset = f32x4.mul(
    splat(OFFSET_SCALE),
    f32x4.add(largestOf(px, py, pz), f32x4.mul(splat(<f32>0.25), f32x4.add(size1, size2))),
  );

  // Smooth normals.
  const nsa = <usize>load<u32>(ma, MESH_NORMALS);
  const nsb = <usize>load<u32>(mb, MESH_NORMALS);
  const nsc = <usize>load<u32>(mc, MESH_NORMALS);
  const nsd = <usize>load<u32>(md, MESH_NORMALS);
  const n0a = normalAt(nsa, va);
  const n0b = normalAt(nsb, vb);
  const n0c = normalAt(nsc, vc);
  const n0d = normalAt(nsd, vd);
  const n1a = normalAt(nsa, va + 4);
  const n1b = normalAt(nsb, vb + 4);
  const n1c = normalAt(nsc, vc + 4);
  const n1d = normalAt(nsd, vd + 4);
  const n2a = normalAt(nsa, va + 8);
  const n2b = normalAt(nsb, vb + 8);
  const n2c = normalAt(nsc, vc + 8);
  const n2d = normalAt(nsd, vd + 8);
  const n0ab = pairLow(n0a, n0b);
  const n0cd = pairLow(n0c, n0d);
  const n1ab = pairLow(n1a, n1b);
  const n1cd = pairLow(n1c, n1d);
  const n2ab = pairLow(n2a, n2b);
  const n2cd = pairLow(n2c, n2d);
  let nx = blendOf(columnLow(n0ab, n0cd), columnLow(n1ab, n1cd), columnLow(n2ab, n2cd), w, u, v);
  let ny = blendOf(columnHigh(n0ab, n0cd), columnHigh(n1ab, n1cd), columnHigh(n2ab, n2cd), w, u, v);
  let nz = blendOf(
    columnLow(pairHigh(n0a, n0b), pairHigh(n0c, n0d)),
    columnLow(pairHigh(n1a, n1b), pairHigh(n1c, n1d)),
    columnLow(pairHigh(n2a, n2b), pairHigh(n2c, n2d)),
    w, u, v,
  );
  const still =
    load<i32>(sa, INSTANCE_FLAGS) & load<i32>(sb, INSTANCE_FLAGS) & load<i32>(sc, INSTANCE_FLAGS) & load<i32>(sd, INSTANCE_FLAGS);
  if ((still & INSTANCE_IS_IDENTITY) == 0) {
    const at = columnScratch;
    storeColumns(at, px, py, pz);
    storeColumns(at + PLACE_NORMAL, gx, gy, gz);
    storeColumns(at + PLACE_SMOOTH, nx, ny, nz);
    storeColumns(at + PLACE_EDGE1, e1x, e1y, e1z);
    storeColumns(at + PLACE_EDGE2, e2x, e2y, e2z);
    v128.store(at, offset, PLACE_OFFSET);
    placeHit(sa, at);
    placeHit(sb, at + 4);
    placeHit(sc, at + 8);
    placeHit(sd, at + 12);
    px = v128.load(at);
    py = v128.load(at, 16);
    pz = v128.load(at, 32);
    gx = v128.load(at, PLACE_NORMAL);
    gy = v128.load(at, PLACE_NORMAL + 16);
    gz = v128.load(at, PLACE_NORMAL + 32);
    nx = v128.load(at, PLACE_SMOOTH);
    ny = v128.load(at, PLACE_SMOOTH + 16);
    nz = v128.load(at, PLACE_SMOOTH + 32);
    offset = v128.load(at, PLACE_OFFSET);
  }
  factor = toUnit(sum3(nx, nx, ny, ny, nz, nz));
  nx = f32x4.mul(nx, factor);
  ny = f32x4.mul(ny, factor);
  nz = f32x4.mul(nz, factor);
  const hasNone = f32x4.lt(sum3(nx, nx, ny, ny, nz, nz), splat(<f32>0.5));
  nx = v128.bitselect(gx, nx, hasNone);
  ny = v128.bitselect(gy, ny, hasNone);
  nz = v128.bitselect(gz, nz, hasNone);

  // Both normals to the side that the ray came from.
  const da = v128.load(ra, RAY_DIRECTION);
  const db = v128.load(rb, RAY_DIRECTION);
  const dc = v128.load(rc, RAY_DIRECTION);
  const dd = v128.load(rd, RAY_DIRECTION);
  const dab = pairLow(da, db);
  const dcd = pairLow(dc, dd);
  const dx = columnLow(dab, dcd);
  const dy = columnHigh(dab, dcd);
  const dz = columnLow(pairHigh(da, db), pairHigh(dc, dd));
  const back = v128.not(f32x4.lt(sum3(gx, dx, gy, dy, gz, dz), zero));
  gx = negateWhere(back, gx);
  gy = negateWhere(back, gy);
  gz = negateWhere(back, gz);
  nx = negateWhere(back, nx);
  ny = negateWhere(back, ny);
  nz = negateWhere(back, nz);
  const cosine = f32x4.neg(sum3(nx, dx, ny, dy, nz, dz));
  const away = v128.not(f32x4.gt(cosine, splat(<f32>0.01)));
  if (v128.any_true(away)) {
    // Pulled back until it just faces the viewer.
    const short = f32x4.sub(cosine, splat(<f32>0.01));
    let qx = f32x4.add(nx, f32x4.mul(dx, short));
    let qy = f32x4.add(ny, f32x4.mul(dy, short));
    let qz = f32x4.add(nz, f32x4.mul(dz, short));
    factor = toUnit(sum3(qx, qx, qy, qy, qz, qz));
    qx = f32x4.mul(qx, factor);
    qy = f32x4.mul(qy, factor);
    qz = f32x4.mul(qz, factor);
    const isFine = v128.and(
      f32x4.gt(sum3(qx, qx, qy, qy, qz, qz), splat(<f32>0.5)),
      f32x4.lt(sum3(qx, dx, qy, dy, qz, dz), zero),
    );
    nx = v128.bitselect(v128.bitselect(qx, gx, isFine), nx, away);
    ny = v128.bitselect(v128.bitselect(qy, gy, isFine), ny, away);
    nz = v128.bitselect(v128.bitselect(qz, gz, isFine), nz, away);
  }
  hitX = px;
  hitY = py;
  hitZ = pz;
  planeX = gx;
  planeY = gy;
  planeZ = gz;
  normalX = nx;
  normalY = ny;
  normalZ = nz;
  offsets = offset;
}
