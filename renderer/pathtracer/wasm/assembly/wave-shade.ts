// What a path does at a Lambertian hit, for four paths at a time: the very operations of `describeHit` and `leaveLambertian`, lane
// by lane, so that each path's bits are those it has when it goes alone.
import { near } from './camera';
import { densityOfEnvironment, environmentDensity, isEven, sampleEnvironment } from './environment';
import { columnHigh, columnLow, cosinesOfTurns, gather, pairHigh, pairLow, sinesOfTurns, splat, storeRows, sum3, turn } from './four';
import { ROULETTE_START } from './integrator';
import {
  INSTANCE_MESH, MATERIAL_BASE_COLOR, MATERIAL_TEX_BASE, MESH_COLORS, MESH_MATERIAL, PACK_IDS, TEXTURE_PIXELS,
} from './layout';
import { environmentChance } from './lights';
import { INV_PI } from './math';
import { RAY_DIRECTION, RAY_INSTANCE, RAY_KEY, RAY_SAMPLE, RAY_T, RAY_TRIANGLE, RAY_U, RAY_V, rayAt } from './packet-rays';
import { number0, number1, number2, number3, sampleFour, sampleSecond } from './sampler-four';
import { baseColorOf } from './surface';
import {
  PATH_ALBEDO, PATH_DEPTH, PATH_FACTOR, PATH_FIRST_NORMAL, PATH_FIRST_POSITION, PATH_INSTANCE, PATH_LIGHT, PATH_LIT_NORMAL,
  PATH_LIT_POSITION, PATH_THROUGHPUT, pathAt,
} from './wave-paths';
import {
  describeFour, hitX, hitY, hitZ, normalX, normalY, normalZ, offsets, planeX, planeY, planeZ,
} from './wave-surface';

/** Surface colour where a ray hit. */
// @ts-ignore: decorator
@inline function colorAt(ray: usize): v128 {
  const mesh = <usize>load<u32>(load<u32>(ray, RAY_INSTANCE), INSTANCE_MESH);
  const material = <usize>load<u32>(mesh, MESH_MATERIAL);
  return load<u32>(material, MATERIAL_TEX_BASE + TEXTURE_PIXELS) | load<u32>(mesh, MESH_COLORS)
    ? baseColorOf(mesh, load<i32>(load<u32>(ray, RAY_TRIANGLE), PACK_IDS), load<f32>(ray, RAY_U), load<f32>(ray, RAY_V))
    : v128.load(material, MATERIAL_BASE_COLOR);
}

/**
 * Leaves the hits of the four paths whose numbers are at `list`, after `bounce` scatterings.
 * Bits 0 to 3 of what it returns say which go on, with a new ray; bits 4 to 7 from which a ray is to be cast to the light.
 */
export function leaveFour(list: usize, bounce: i32): i32 {
  const ia = load<u32>(list);
  const ib = load<u32>(list, 4);
  const ic = load<u32>(list, 8);
  const id = load<u32>(list, 12);
  const ra = rayAt(ia);
  const rb = rayAt(ib);
  const rc = rayAt(ic);
  const rd = rayAt(id);
  const pa = pathAt(ia);
  const pb = pathAt(ib);
  const pc = pathAt(ic);
  const pd = pathAt(id);
  const one = splat(<f32>1.0);
  const zero = splat(<f32>0.0);

  describeFour(list);
  const px = hitX;
  const py = hitY;
  const pz = hitZ;
  const gx = planeX;
  const gy = planeY;
  const gz = planeZ;
  const nx = normalX;
  const ny = normalY;
  const nz = normalZ;

  // What the path carries on, before roulette.
  const ca = colorAt(ra);
  const cb = colorAt(rb);
  const cc = colorAt(rc);
  const cd = colorAt(rd);
  let la = f32x4.mul(v128.load(pa, PATH_THROUGHPUT), ca);
  let lb = f32x4.mul(v128.load(pb, PATH_THROUGHPUT), cb);
  let lc = f32x4.mul(v128.load(pc, PATH_THROUGHPUT), cc);
  let ld = f32x4.mul(v128.load(pd, PATH_THROUGHPUT), cd);
  const lab = pairLow(la, lb);
  const lcd = pairLow(lc, ld);
  const largest = f32x4.pmax(
    f32x4.pmax(columnLow(lab, lcd), columnHigh(lab, lcd)),
    columnLow(pairHigh(la, lb), pairHigh(lc, ld)),
  );
  const carries = f32x4.gt(largest, zero);
  const keys = gather(ra + RAY_KEY, rb + RAY_KEY, rc + RAY_KEY, rd + RAY_KEY);
  const samples = gather(ra + RAY_SAMPLE, rb + RAY_SAMPLE, rc + RAY_SAMPLE, rd + RAY_SAMPLE);
  sampleFour(keys, samples, 1 + 2 * bounce);

  // Positions and normals are kept by paths; where their rays start lies off the surface.
  storeRows(pa + PATH_LIT_POSITION, pb + PATH_LIT_POSITION, pc + PATH_LIT_POSITION, pd + PATH_LIT_POSITION, px, py, pz, pz);
  storeRows(pa + PATH_LIT_NORMAL, pb + PATH_LIT_NORMAL, pc + PATH_LIT_NORMAL, pd + PATH_LIT_NORMAL, nx, ny, nz, nz);
  if (bounce == 0) {
    keepFirst(ra, pa, la);
    keepFirst(rb, pb, lb);
    keepFirst(rc, pc, lc);
    keepFirst(rd, pd, ld);
  }
  const ox = f32x4.add(px, f32x4.mul(gx, offsets));
  const oy = f32x4.add(py, f32x4.mul(gy, offsets));
  const oz = f32x4.add(pz, f32x4.mul(gz, offsets));
  storeRows(ra, rb, rc, rd, ox, oy, oz, oz);

  // Light from the environment.
  let lx: v128;
  let ly: v128;
  let lz: v128;
  let lightDensity: v128;
  if (isEven()) {
    ly = f32x4.sub(one, f32x4.mul(splat(<f32>2.0), number2));
    turn(number3);
    const radius = f32x4.sqrt(f32x4.pmax(zero, f32x4.sub(one, f32x4.mul(ly, ly))));
    lx = f32x4.mul(radius, sinesOfTurns());
    lz = f32x4.mul(f32x4.neg(radius), cosinesOfTurns());
    lightDensity = splat(densityOfEnvironment(zero) * environmentChance);
  } else {
    const sampled0 = sampleEnvironment(f32x4.extract_lane(number2, 0), f32x4.extract_lane(number3, 0));
    lightDensity = splat(environmentDensity);
    const sampled1 = sampleEnvironment(f32x4.extract_lane(number2, 1), f32x4.extract_lane(number3, 1));
    lightDensity = f32x4.replace_lane(lightDensity, 1, environmentDensity);
    const sampled2 = sampleEnvironment(f32x4.extract_lane(number2, 2), f32x4.extract_lane(number3, 2));
    lightDensity = f32x4.replace_lane(lightDensity, 2, environmentDensity);
    const sampled3 = sampleEnvironment(f32x4.extract_lane(number2, 3), f32x4.extract_lane(number3, 3));
    lightDensity = f32x4.replace_lane(lightDensity, 3, environmentDensity);
    lightDensity = f32x4.mul(lightDensity, splat(environmentChance));
    const low01 = pairLow(sampled0, sampled1);
    const low23 = pairLow(sampled2, sampled3);
    lx = columnLow(low01, low23);
    ly = columnHigh(low01, low23);
    lz = columnLow(pairHigh(sampled0, sampled1), pairHigh(sampled2, sampled3));
  }
  const lightCosine = sum3(lx, nx, ly, ny, lz, nz);
  const asks = v128.and(
    v128.and(f32x4.gt(lightCosine, zero), f32x4.gt(sum3(lx, gx, ly, gy, lz, gz), zero)),
    v128.and(carries, f32x4.gt(lightDensity, zero)),
  );
  const lightShare = f32x4.mul(lightCosine, splat(INV_PI));
  let ratio = f32x4.div(lightShare, lightDensity);
  const lightWeight = f32x4.div(f32x4.div(one, f32x4.add(one, f32x4.mul(ratio, ratio))), lightDensity);
  storeRows(pa + PATH_LIGHT, pb + PATH_LIGHT, pc + PATH_LIGHT, pd + PATH_LIGHT, lx, ly, lz, lz);
  v128.store(pa, weighed(la, v128.shuffle<f32>(lightShare, lightShare, 0, 0, 0, 0), f32x4.extract_lane(lightWeight, 0)), PATH_FACTOR);
  v128.store(pb, weighed(lb, v128.shuffle<f32>(lightShare, lightShare, 1, 1, 1, 1), f32x4.extract_lane(lightWeight, 1)), PATH_FACTOR);
  v128.store(pc, weighed(lc, v128.shuffle<f32>(lightShare, lightShare, 2, 2, 2, 2), f32x4.extract_lane(lightWeight, 2)), PATH_FACTOR);
  v128.store(pd, weighed(ld, v128.shuffle<f32>(lightShare, lightShare, 3, 3, 3, 3), f32x4.extract_lane(lightWeight, 3)), PATH_FACTOR);

  // The way on, in a frame about the shading normal (Duff et al. 2017).
  turn(number0);
  const round = f32x4.sqrt(number1);
  const localX = f32x4.mul(round, cosinesOfTurns());
  const localY = f32x4.mul(round, sinesOfTurns());
  const localZ = f32x4.sqrt(f32x4.pmax(zero, f32x4.sub(one, number1)));
  const sign = v128.or(v128.and(nz, i32x4.splat(i32.MIN_VALUE)), one);
  const frame = f32x4.div(splat(<f32>-1.0), f32x4.add(sign, nz));
  const mixed = f32x4.mul(f32x4.mul(nx, ny), frame);
  const tangentX = f32x4.add(one, f32x4.mul(f32x4.mul(f32x4.mul(sign, nx), nx), frame));
  const tangentY = f32x4.mul(sign, mixed);
  const tangentZ = f32x4.mul(f32x4.neg(sign), nx);
  const bitangentY = f32x4.add(sign, f32x4.mul(f32x4.mul(ny, ny), frame));
  const bitangentZ = f32x4.neg(ny);
  const wx = sum3(tangentX, localX, mixed, localY, nx, localZ);
  const wy = sum3(tangentY, localX, bitangentY, localY, ny, localZ);
  const wz = sum3(tangentZ, localX, bitangentZ, localY, nz, localZ);
  const density = f32x4.mul(localZ, splat(INV_PI));
  let goesOn = v128.and(
    v128.and(f32x4.gt(density, splat(<f32>1e-12)), f32x4.gt(sum3(wx, gx, wy, gy, wz, gz), zero)),
    carries,
  );
  if (bounce >= ROULETTE_START) {
    const fades = f32x4.lt(largest, one);
    if (v128.any_true(fades)) {
      const ends = v128.and(fades, f32x4.ge(sampleSecond(keys, samples, 2 + 2 * bounce), largest));
      goesOn = v128.andnot(goesOn, ends);
      const stronger = v128.bitselect(f32x4.div(one, largest), one, fades);
      la = f32x4.mul(la, v128.shuffle<f32>(stronger, stronger, 0, 0, 0, 0));
      lb = f32x4.mul(lb, v128.shuffle<f32>(stronger, stronger, 1, 1, 1, 1));
      lc = f32x4.mul(lc, v128.shuffle<f32>(stronger, stronger, 2, 2, 2, 2));
      ld = f32x4.mul(ld, v128.shuffle<f32>(stronger, stronger, 3, 3, 3, 3));
    }
  }
  v128.store(pa, la, PATH_THROUGHPUT);
  v128.store(pb, lb, PATH_THROUGHPUT);
  v128.store(pc, lc, PATH_THROUGHPUT);
  v128.store(pd, ld, PATH_THROUGHPUT);
  storeRows(ra + RAY_DIRECTION, rb + RAY_DIRECTION, rc + RAY_DIRECTION, rd + RAY_DIRECTION, wx, wy, wz, density);
  return i32x4.bitmask(goesOn) | (i32x4.bitmask(asks) << 4);
}

/** What a path carries times the light's share, and the weight of it in lane 3. */
// @ts-ignore: decorator
@inline function weighed(carried: v128, share: v128, weight: f32): v128 {
  return f32x4.replace_lane(f32x4.mul(carried, share), 3, weight);
}

/** Keeps what the film wants of the first hit, whose position and normal were stored. */
// @ts-ignore: decorator
@inline function keepFirst(ray: usize, path: usize, carried: v128): void {
  v128.store(path, carried, PATH_ALBEDO);
  v128.store(path, v128.load(path, PATH_LIT_POSITION), PATH_FIRST_POSITION);
  v128.store(path, v128.load(path, PATH_LIT_NORMAL), PATH_FIRST_NORMAL);
  store<f32>(path, near + load<f32>(ray, RAY_T) * load<f32>(ray, RAY_DIRECTION + 12), PATH_DEPTH);
  store<u32>(path, load<u32>(ray, RAY_INSTANCE), PATH_INSTANCE);
}
