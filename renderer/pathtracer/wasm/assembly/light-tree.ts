// Choosing one of many lights by a tree of bounds (Conty Estevez and Kulla, "Importance Sampling of Many Lights with Adaptive
// Tree Splitting", 2018; Pharr, Jakob and Humphreys, Physically Based Rendering, 4th edition, 12.6.3). wasm/light-tree.ts builds
// it. One random number descends and is stretched anew at each node; a light's trail leads to it again, with the same chance.
import {
  LIGHT_NODE_AXIS,
  LIGHT_NODE_COS_EMISSION,
  LIGHT_NODE_COS_SPREAD,
  LIGHT_NODE_LINK,
  LIGHT_NODE_STRIDE,
  LIGHT_NODE_TWO_SIDED,
} from './layout';
import { dot, scale, sub, w } from './vec';

/** What `pickLight` found: the light's index in the tree, and the probability of that. */
export let pickedLight: i32 = 0;
export let pickedChance: f32 = 0;

/** A light seen edge-on by the surface keeps this share: normal maps and smooth normals bend what "edge-on" means. */
const LEAST_COSINE: f32 = <f32>0.02;
const LARGEST_IMPORTANCE: f32 = <f32>1e30;
const BELOW_ONE: f32 = <f32>0.99999994;

/** Cosine of max(0, a - b), given sines and cosines of angles within a half turn. */
// @ts-ignore: decorator
@inline function cosineOfExcess(sinA: f32, cosA: f32, sinB: f32, cosB: f32): f32 {
  return cosA > cosB ? <f32>1.0 : cosA * cosB + sinA * sinB;
}
// @ts-ignore: decorator
@inline function sineOfExcess(sinA: f32, cosA: f32, sinB: f32, cosB: f32): f32 {
  return cosA > cosB ? <f32>0.0 : sinA * cosB - cosA * sinB;
}
// @ts-ignore: decorator
@inline function otherLeg(cosine: f32): f32 {
  return sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - cosine * cosine));
}

/** About how strongly the node's lights shine on a surface with the normal at `from`; 0 where none of them shines. */
function importance(node: usize, from: v128, normal: v128): f32 {
  const sphere = v128.load(node);
  const emission = v128.load(node, LIGHT_NODE_AXIS);
  const radius2 = w(sphere);
  const intensity = w(emission);
  const to = sub(sphere, from);
  const d2 = dot(to, to);
  if (d2 <= radius2) return min<f32>(intensity / max<f32>(radius2, <f32>1e-30), LARGEST_IMPORTANCE);
  const towards = scale(to, <f32>1.0 / sqrt<f32>(d2));
  // Half the angle under which the bounds are seen.
  const sin2 = radius2 / d2;
  const sinBounds = sqrt<f32>(sin2);
  const cosBounds = sqrt<f32>(max<f32>(<f32>0.0, <f32>1.0 - sin2));
  let cosine = -dot(emission, towards);
  if (load<i32>(node, LIGHT_NODE_TWO_SIDED)) cosine = abs<f32>(cosine);
  const sine = otherLeg(cosine);
  const cosSpread = load<f32>(node, LIGHT_NODE_COS_SPREAD);
  const sinSpread = otherLeg(cosSpread);
  const cosBeyond = cosineOfExcess(sine, cosine, sinSpread, cosSpread);
  const sinBeyond = sineOfExcess(sine, cosine, sinSpread, cosSpread);
  const cosLeast = cosineOfExcess(sinBeyond, cosBeyond, sinBounds, cosBounds);
  if (cosLeast < load<f32>(node, LIGHT_NODE_COS_EMISSION)) return <f32>0.0;
  const facing = abs<f32>(dot(normal, towards));
  const arriving = cosineOfExcess(otherLeg(facing), facing, sinBounds, cosBounds);
  return min<f32>(
    ((intensity * max<f32>(cosLeast, <f32>1e-3)) / d2) * max<f32>(arriving, LEAST_COSINE),
    LARGEST_IMPORTANCE,
  );
}

/** Probability of the first node of a pair; negative when neither shines here. */
// @ts-ignore: decorator
@inline function firstChance(pair: usize, from: v128, normal: v128): f32 {
  const first = importance(pair, from, normal);
  const sum = first + importance(pair + LIGHT_NODE_STRIDE, from, normal);
  return sum > <f32>0.0 ? first / sum : -<f32>1.0;
}

/** Picks a light for a surface at `from`; false when none shines there. */
export function pickLight(root: usize, choice: f32, from: v128, normal: v128): bool {
  let node = root;
  let chance: f32 = <f32>1.0;
  let link = load<i32>(node, LIGHT_NODE_LINK);
  while (link >= 0) {
    const pair = root + <usize>link * LIGHT_NODE_STRIDE;
    const first = firstChance(pair, from, normal);
    if (first < <f32>0.0) return false;
    if (choice < first) {
      node = pair;
      chance *= first;
      choice = min<f32>(choice / first, BELOW_ONE);
    } else {
      node = pair + LIGHT_NODE_STRIDE;
      chance *= <f32>1.0 - first;
      choice = min<f32>((choice - first) / (<f32>1.0 - first), BELOW_ONE);
    }
    link = load<i32>(node, LIGHT_NODE_LINK);
  }
  pickedLight = -1 - link;
  pickedChance = chance;
  return chance > <f32>0.0;
}

/** Probability that `pickLight` picks the light with this trail: bit k says which node of the pair at depth k. */
export function chanceOfLight(root: usize, trail: u32, from: v128, normal: v128): f32 {
  let node = root;
  let chance: f32 = <f32>1.0;
  let link = load<i32>(node, LIGHT_NODE_LINK);
  while (link >= 0) {
    const pair = root + <usize>link * LIGHT_NODE_STRIDE;
    const first = firstChance(pair, from, normal);
    if (first < <f32>0.0) return <f32>0.0;
    if ((trail & 1) != 0) {
      node = pair + LIGHT_NODE_STRIDE;
      chance *= <f32>1.0 - first;
    } else {
      node = pair;
      chance *= first;
    }
    trail = trail >> 1;
    link = load<i32>(node, LIGHT_NODE_LINK);
  }
  return chance;
}
