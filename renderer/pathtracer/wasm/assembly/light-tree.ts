// Choosing one of many lights by a tree of bounds (Conty Estevez and Kulla, "Importance Sampling of Many Lights with Adaptive
// Tree Splitting", 2018; Pharr, Jakob and Humphreys, Physically Based Rendering, 4th edition, 12.6.3), with four children a
// node, which one operation weighs together (as Wald, Benthin and Boulos 2008 do with boxes). wasm/light-tree.ts builds it. One random number
// descends and is stretched anew at each node; a light's trail leads to it again, with the same chance.
import { splat, sum3 } from './four';
import {
  LIGHT_NODE_AXIS,
  LIGHT_NODE_CENTRE,
  LIGHT_NODE_COS_EMISSION,
  LIGHT_NODE_COS_SPREAD,
  LIGHT_NODE_INTENSITY,
  LIGHT_NODE_LINK,
  LIGHT_NODE_RADIUS2,
  LIGHT_NODE_SIDES,
  LIGHT_NODE_STRIDE,
} from './layout';
import { laneOf, vec, w, x, y, z } from './vec';

/** What `pickLight` found: the light's index in the tree, and the probability of that. */
export let pickedLight: i32 = 0;
export let pickedChance: f32 = 0;

/** A light seen edge-on by the surface keeps this share: normal maps and smooth normals bend what "edge-on" means. */
const LEAST_COSINE: f32 = <f32>0.02;
const LARGEST_IMPORTANCE: f32 = <f32>1e30;
const BELOW_ONE: f32 = <f32>0.99999994;

/** Cosines of max(0, a - b), given sines and cosines of angles within a half turn. */
// @ts-ignore: decorator
@inline function cosinesOfExcess(sinA: v128, cosA: v128, sinB: v128, cosB: v128): v128 {
  const between = f32x4.add(f32x4.mul(cosA, cosB), f32x4.mul(sinA, sinB));
  return v128.bitselect(splat(<f32>1.0), between, f32x4.gt(cosA, cosB));
}
// @ts-ignore: decorator
@inline function sinesOfExcess(sinA: v128, cosA: v128, sinB: v128, cosB: v128): v128 {
  const between = f32x4.sub(f32x4.mul(sinA, cosB), f32x4.mul(cosA, sinB));
  return v128.bitselect(splat(<f32>0.0), between, f32x4.gt(cosA, cosB));
}
// @ts-ignore: decorator
@inline function otherLegs(squares: v128): v128 {
  return f32x4.sqrt(f32x4.pmax(splat(<f32>0.0), f32x4.sub(splat(<f32>1.0), squares)));
}

/** About how strongly what is below each child shines on a surface with the normal at `from`; 0 where none of its lights shines. */
function importances(node: usize, from: v128, normal: v128): v128 {
  const toX = f32x4.sub(v128.load(node, LIGHT_NODE_CENTRE), splat(x(from)));
  const toY = f32x4.sub(v128.load(node, LIGHT_NODE_CENTRE + 16), splat(y(from)));
  const toZ = f32x4.sub(v128.load(node, LIGHT_NODE_CENTRE + 32), splat(z(from)));
  const d2 = sum3(toX, toX, toY, toY, toZ, toZ);
  const radius2 = v128.load(node, LIGHT_NODE_RADIUS2);
  const intensity = v128.load(node, LIGHT_NODE_INTENSITY);
  // Sines are made of squares, not of the cosines: the longest chain of operations that wait for one another decides.
  const inverse2 = f32x4.div(splat(<f32>1.0), d2);
  const inverse = f32x4.sqrt(inverse2);
  // Half the angle under which the bounds are seen.
  const sin2 = f32x4.mul(radius2, inverse2);
  const sinBounds = f32x4.sqrt(sin2);
  const cosBounds = otherLegs(sin2);
  const axisX = v128.load(node, LIGHT_NODE_AXIS);
  const axisY = v128.load(node, LIGHT_NODE_AXIS + 16);
  const axisZ = v128.load(node, LIGHT_NODE_AXIS + 32);
  const along = sum3(axisX, toX, axisY, toY, axisZ, toZ);
  const front = f32x4.neg(f32x4.mul(along, inverse));
  const cosine = f32x4.pmax(front, f32x4.mul(front, v128.load(node, LIGHT_NODE_SIDES)));
  const sine = otherLegs(f32x4.mul(f32x4.mul(along, along), inverse2));
  const cosSpread = v128.load(node, LIGHT_NODE_COS_SPREAD);
  const sinSpread = otherLegs(f32x4.mul(cosSpread, cosSpread));
  const cosBeyond = cosinesOfExcess(sine, cosine, sinSpread, cosSpread);
  const sinBeyond = sinesOfExcess(sine, cosine, sinSpread, cosSpread);
  const cosLeast = cosinesOfExcess(sinBeyond, cosBeyond, sinBounds, cosBounds);
  const height = f32x4.abs(sum3(splat(x(normal)), toX, splat(y(normal)), toY, splat(z(normal)), toZ));
  const facing = f32x4.mul(height, inverse);
  const arriving = cosinesOfExcess(otherLegs(f32x4.mul(f32x4.mul(height, height), inverse2)), facing, sinBounds, cosBounds);
  const leaving = f32x4.mul(intensity, f32x4.pmax(cosLeast, splat(<f32>1e-3)));
  const outside = f32x4.mul(f32x4.mul(leaving, inverse2), f32x4.pmax(arriving, splat(LEAST_COSINE)));
  const shining = v128.bitselect(splat(<f32>0.0), outside, f32x4.lt(cosLeast, v128.load(node, LIGHT_NODE_COS_EMISSION)));
  const within = f32x4.div(intensity, f32x4.pmax(radius2, splat(<f32>1e-30)));
  return f32x4.pmin(v128.bitselect(within, shining, f32x4.le(d2, radius2)), splat(LARGEST_IMPORTANCE));
}

/** Picks a light for a surface at `from`; false when none shines there. */
export function pickLight(root: usize, choice: f32, from: v128, normal: v128): bool {
  let chance: f32 = <f32>1.0;
  let link: i32 = 0;
  while (link >= 0) {
    const node = root + <usize>link * LIGHT_NODE_STRIDE;
    const four = importances(node, from, normal);
    const upTo0 = x(four);
    const upTo1 = upTo0 + y(four);
    const upTo2 = upTo1 + z(four);
    const sum = upTo2 + w(four);
    if (!(sum > <f32>0.0)) return false;
    const at = choice * sum;
    const slot = <usize>(at >= upTo0) + <usize>(at >= upTo1) + <usize>(at >= upTo2);
    const own = laneOf(four, slot);
    const before = laneOf(v128.shuffle<f32>(vec(upTo0, upTo1, upTo2), splat(<f32>0.0), 4, 0, 1, 2), slot);
    chance *= own / sum;
    choice = min<f32>((at - before) / own, BELOW_ONE);
    link = load<i32>(node + (slot << 2), LIGHT_NODE_LINK);
  }
  pickedLight = -1 - link;
  pickedChance = chance;
  return chance > <f32>0.0;
}

/** Probability that `pickLight` picks the light with this trail: two bits a node say which child, those of the root the lowest. */
export function chanceOfLight(root: usize, trail: u32, from: v128, normal: v128): f32 {
  let chance: f32 = <f32>1.0;
  let link: i32 = 0;
  while (link >= 0) {
    const node = root + <usize>link * LIGHT_NODE_STRIDE;
    const four = importances(node, from, normal);
    const sum = x(four) + y(four) + z(four) + w(four);
    if (!(sum > <f32>0.0)) return <f32>0.0;
    const slot = <usize>(trail & 3);
    chance *= laneOf(four, slot) / sum;
    trail = trail >> 2;
    link = load<i32>(node + (slot << 2), LIGHT_NODE_LINK);
  }
  return chance;
}
