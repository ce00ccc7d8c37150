// Camera rays through a pinhole or in parallel, four at a time: lane by lane the very operations of `generateRay`, so that each
// ray's bits are those that it has when it is made alone.
import { back, centreX, centreY, eye, filter, near, orthographic, pixelSize, right, up } from './camera';
import { columnHigh, columnLow, gather, pairLow, splat, storeRows, sum3 } from './four';
import { FILTER_CELLS } from './layout';
import { RAY_DIRECTION, RAY_KEY, RAY_SAMPLE, rayAt } from './packet-rays';
import { number0, number1, samplePair } from './sampler-four';
import { neg, x, y, z } from './vec';

/** The filter's inverse distribution, for four numbers. */
// @ts-ignore: decorator
@inline function filterOffsets(u: v128): v128 {
  const side = f32x4.min(u, f32x4.sub(splat(<f32>1.0), u));
  const at = f32x4.mul(f32x4.sqrt(f32x4.mul(side, splat(<f32>2.0))), splat(<f32>FILTER_CELLS));
  const cells = i32x4.min_s(i32x4.trunc_sat_f32x4_s(at), i32x4.splat(FILTER_CELLS - 1));
  const first = pairLow(cellOf(i32x4.extract_lane(cells, 0)), cellOf(i32x4.extract_lane(cells, 1)));
  const second = pairLow(cellOf(i32x4.extract_lane(cells, 2)), cellOf(i32x4.extract_lane(cells, 3)));
  const a = columnLow(first, second);
  const b = columnHigh(first, second);
  const away = f32x4.add(a, f32x4.mul(f32x4.sub(b, a), f32x4.sub(at, f32x4.convert_i32x4_s(cells))));
  const sign = i32x4.splat(i32.MIN_VALUE);
  return v128.bitselect(f32x4.sub(u, splat(<f32>0.5)), away, sign);
}

/** Both ends of a cell of the filter's table, lanes 0 and 1. */
// @ts-ignore: decorator
@inline function cellOf(index: i32): v128 {
  return v128.load64_zero(filter + (<usize>index << 2));
}

/**
 * Makes rays `index` to `index + 3` of the camera at time 0, in packet-rays.ts. Their keys and samples are set; the pixels' columns
 * and rows lie, as floats, in the first two lanes of the origins.
 */
export function generateFour(index: i32): void {
  const ra = rayAt(index);
  const rb = rayAt(index + 1);
  const rc = rayAt(index + 2);
  const rd = rayAt(index + 3);
  samplePair(
    gather(ra + RAY_KEY, rb + RAY_KEY, rc + RAY_KEY, rd + RAY_KEY),
    gather(ra + RAY_SAMPLE, rb + RAY_SAMPLE, rc + RAY_SAMPLE, rd + RAY_SAMPLE),
    0,
  );
  const half = splat(<f32>0.5);
  const size = splat(pixelSize);
  const px = gather(ra, rb, rc, rd);
  const py = gather(ra + 4, rb + 4, rc + 4, rd + 4);
  const sx = f32x4.mul(f32x4.sub(f32x4.add(f32x4.add(px, half), filterOffsets(number0)), splat(centreX)), size);
  const sy = f32x4.mul(f32x4.sub(f32x4.sub(f32x4.sub(splat(centreY), py), half), filterOffsets(number1)), size);
  const asideX = f32x4.add(f32x4.mul(splat(x(right)), sx), f32x4.mul(splat(x(up)), sy));
  const asideY = f32x4.add(f32x4.mul(splat(y(right)), sx), f32x4.mul(splat(y(up)), sy));
  const asideZ = f32x4.add(f32x4.mul(splat(z(right)), sx), f32x4.mul(splat(z(up)), sy));
  if (orthographic) {
    const ox = f32x4.add(f32x4.add(splat(x(eye)), asideX), splat(x(back) * -near));
    const oy = f32x4.add(f32x4.add(splat(y(eye)), asideY), splat(y(back) * -near));
    const oz = f32x4.add(f32x4.add(splat(z(eye)), asideZ), splat(z(back) * -near));
    const direction = f32x4.replace_lane(neg(back), 3, <f32>1.0);
    storeRows(ra, rb, rc, rd, ox, oy, oz, oz);
    v128.store(ra, direction, RAY_DIRECTION);
    v128.store(rb, direction, RAY_DIRECTION);
    v128.store(rc, direction, RAY_DIRECTION);
    v128.store(rd, direction, RAY_DIRECTION);
    return;
  }
  const dx = f32x4.sub(asideX, splat(x(back)));
  const dy = f32x4.sub(asideY, splat(y(back)));
  const dz = f32x4.sub(asideZ, splat(z(back)));
  const depthScale = f32x4.div(splat(<f32>1.0), f32x4.sqrt(sum3(dx, dx, dy, dy, dz, dz)));
  const nearness = splat(near);
  storeRows(
    ra + RAY_DIRECTION, rb + RAY_DIRECTION, rc + RAY_DIRECTION, rd + RAY_DIRECTION,
    f32x4.mul(dx, depthScale), f32x4.mul(dy, depthScale), f32x4.mul(dz, depthScale), depthScale,
  );
  const oz = f32x4.add(splat(z(eye)), f32x4.mul(dz, nearness));
  storeRows(
    ra, rb, rc, rd,
    f32x4.add(splat(x(eye)), f32x4.mul(dx, nearness)), f32x4.add(splat(y(eye)), f32x4.mul(dy, nearness)), oz, oz,
  );
}
