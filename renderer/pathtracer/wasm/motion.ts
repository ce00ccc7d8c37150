/**
 * Motion of an instance over one frame: both poses taken apart into translation, rotation and stretch, so that what turns keeps
 * its size on the way (Shoemake and Duff 1992, "Matrix Animation and Polar Decomposition").
 */
import { MOTION_NEXT, MOTION_ROTATION, MOTION_STRETCH, MOTION_TRANSLATION } from './assembly/layout.ts';
import type { Vector } from './matrix.ts';

type Quaternion = [number, number, number, number];

/** Matrix = translation * rotation * stretch. */
interface Pose {
  translation: Vector;
  /** xyzw, unit. */
  rotation: Quaternion;
  /** Nine numbers, column-major, symmetric. */
  stretch: number[];
}

/** How an instance moves from one frame to the next. */
export interface Motion {
  now: Pose;
  next: Pose;
}

/** Intervals for which bounds are sampled. */
const STEPS = 16;

/** The motion between two invertible affine matrices (column-major 4x4), or null when they are the same. */
export function motionBetween(now: ArrayLike<number>, next: ArrayLike<number>): Motion | null {
  if (Array.from(now).every((value, i) => value === next[i])) return null;
  const first = decompose(now);
  const second = decompose(next);
  const along = first.rotation.reduce((sum, value, i) => sum + value * second.rotation[i]!, 0);
  // The shorter way round.
  if (along < 0) second.rotation = second.rotation.map((value) => -value) as Quaternion;
  return { now: first, next: second };
}

/** Writes the motion record of `assembly/layout.ts` at `at`. */
export function writeMotion(view: DataView, at: number, { now, next }: Motion): void {
  [now, next].forEach((pose, index) => {
    const base = at + index * MOTION_NEXT;
    pose.translation.forEach((value, i) => {
      view.setFloat32(base + MOTION_TRANSLATION + 4 * i, value, true);
    });
    pose.rotation.forEach((value, i) => {
      view.setFloat32(base + MOTION_ROTATION + 4 * i, value, true);
    });
    pose.stretch.forEach((value, i) => {
      view.setFloat32(base + MOTION_STRETCH + 16 * Math.floor(i / 3) + 4 * (i % 3), value, true);
    });
  });
}

/** Matrix (column-major 4x4) at a time between 0 and 1 frame: what `assembly/instance.ts` computes, in double precision. */
export function poseAt({ now, next }: Motion, time: number): Float64Array {
  const blend = (a: readonly number[], b: readonly number[]): number[] =>
    a.map((value, i) => value + (b[i]! - value) * time);
  const r = rotationMatrix(blend(now.rotation, next.rotation));
  const s = blend(now.stretch, next.stretch);
  const out = new Float64Array(16);
  for (let column = 0; column < 3; column++) {
    for (let row = 0; row < 3; row++) {
      for (let k = 0; k < 3; k++) out[4 * column + row]! += r[3 * k + row]! * s[3 * column + k]!;
    }
  }
  out.set([...blend(now.translation, next.translation), 1], 12);
  return out;
}

/**
 * Poses whose hull, grown by `padding`, encloses every point of the box `min..max` while the shutter is open (time 0 to
 * `shutter`). Between two poses a point leaves its chord by at most (interval² / 8) times its largest acceleration.
 */
export function posesOfShutter(
  motion: Motion,
  shutter: number,
  min: Vector,
  max: Vector,
): { poses: Float64Array[]; padding: number } {
  const { now, next } = motion;
  const poses = Array.from({ length: STEPS + 1 }, (_, i) => poseAt(motion, (shutter * i) / STEPS));
  const radius = Math.hypot(...min.map((value, i) => Math.max(Math.abs(value), Math.abs(max[i]!))));
  const cosine = now.rotation.reduce((sum, value, i) => sum + value * next.rotation[i]!, 0);
  const turn = 2 * Math.acos(Math.min(1, Math.abs(cosine)));
  // The normalised blend of quaternions turns fastest half way, at 4 tan(turn / 4); its angular acceleration stays below the
  // square of that. Stretch changes evenly.
  const speed = 4 * Math.tan(turn / 4);
  const size = Math.max(Math.hypot(...now.stretch), Math.hypot(...next.stretch));
  const growth = Math.hypot(...now.stretch.map((value, i) => next.stretch[i]! - value));
  const acceleration = radius * (2 * speed * speed * size + 2 * speed * growth);
  return { poses, padding: ((shutter / STEPS) ** 2 / 8) * acceleration };
}

/** Rotation by Higham's iteration: the mean of a matrix and its inverse transpose converges to the nearest orthogonal one. */
function decompose(m: ArrayLike<number>): Pose {
  const linear = [m[0]!, m[1]!, m[2]!, m[4]!, m[5]!, m[6]!, m[8]!, m[9]!, m[10]!];
  let r = linear;
  for (let iteration = 0; iteration < 64; iteration++) {
    const inverseTransposed = scaled(cofactors(r), 1 / determinant(r));
    // Scaled so that also a matrix far from orthogonal converges in a few steps.
    const gamma = iteration < 8 ? Math.sqrt(Math.hypot(...inverseTransposed) / Math.hypot(...r)) : 1;
    const mean = r.map((value, i) => (value * gamma + inverseTransposed[i]! / gamma) / 2);
    const change = Math.hypot(...mean.map((value, i) => value - r[i]!));
    r = mean;
    if (change < 1e-14) break;
  }
  // A mirroring pose keeps its mirror in the stretch.
  if (determinant(r) < 0) r = scaled(r, -1);
  const stretch = [0, 1, 2].flatMap((column) =>
    [0, 1, 2].map((row) => [0, 1, 2].reduce((sum, k) => sum + r[3 * row + k]! * linear[3 * column + k]!, 0)),
  );
  return { translation: [m[12]!, m[13]!, m[14]!], rotation: quaternionOf(r), stretch };
}

function scaled(m: readonly number[], factor: number): number[] {
  return m.map((value) => value * factor);
}

/** Determinant times inverse transpose, of columns. */
function cofactors([a, b, c, d, e, f, g, h, i]: readonly number[]): number[] {
  return [
    ...[e! * i! - f! * h!, f! * g! - d! * i!, d! * h! - e! * g!],
    ...[h! * c! - i! * b!, i! * a! - g! * c!, g! * b! - h! * a!],
    ...[b! * f! - c! * e!, c! * d! - a! * f!, a! * e! - b! * d!],
  ];
}

function determinant(m: readonly number[]): number {
  const c = cofactors(m);
  return m[0]! * c[0]! + m[1]! * c[1]! + m[2]! * c[2]!;
}

/** Shepperd's method: by the largest component, so that nothing small is divided by. */
function quaternionOf([a, b, c, d, e, f, g, h, i]: readonly number[]): Quaternion {
  const candidates = [a! - e! - i!, e! - a! - i!, i! - a! - e!, a! + e! + i!];
  const best = candidates.indexOf(Math.max(...candidates));
  const q: Quaternion =
    best === 0
      ? [1 + candidates[0]!, b! + d!, g! + c!, f! - h!]
      : best === 1
        ? [b! + d!, 1 + candidates[1]!, f! + h!, g! - c!]
        : best === 2
          ? [g! + c!, f! + h!, 1 + candidates[2]!, b! - d!]
          : [f! - h!, g! - c!, b! - d!, 1 + candidates[3]!];
  const length = Math.hypot(...q);
  return q.map((value) => value / length) as Quaternion;
}

/** Columns of the rotation that a quaternion of any length stands for. */
function rotationMatrix(q: readonly number[]): number[] {
  const length = Math.hypot(...q);
  const [x, y, z, w] = q.map((value) => value / length) as Quaternion;
  return [
    ...[1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)],
    ...[2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)],
    ...[2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)],
  ];
}
