/**
 * Builds the tree of lights that `assembly/light-tree.ts` descends (Conty Estevez and Kulla 2018): split in two where their
 * surface area orientation heuristic is least, and two such splits make a node of four children.
 */
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
  LIGHT_TREE_DEPTH,
} from './assembly/layout.ts';
import { unit, type Vector } from './matrix.ts';

/** What the tree knows of one light, or of all lights below a node. */
export interface LightBounds {
  min: Vector;
  max: Vector;
  /** Middle of the cone that holds all normals, and the cone's half angle in radians (pi: every direction). */
  axis: Vector;
  spread: number;
  /** How far from a normal light leaves at most, radians. */
  emission: number;
  /** Intensity towards where the light shines strongest, cd; summed for a node. */
  intensity: number;
  isTwoSided: boolean;
}

/** Nodes as LIGHT_NODE_STRIDE records, the root first, and for each light the children that lead to it, two bits each, the root's lowest. */
export interface LightTree {
  nodes: Uint8Array;
  trails: Uint32Array;
}

const BINS = 12;
/** Where a child lacks: ends the descent, which has no chance to come here. */
const NO_LIGHT = -1;

/** Tree over at least one light; as deep as trails have bits at most. */
export function buildLightTree(lights: readonly LightBounds[]): LightTree {
  // A node takes at least one light from those above it, but for the root.
  const nodes = new Uint8Array(Math.max(1, lights.length - 1) * LIGHT_NODE_STRIDE);
  const view = new DataView(nodes.buffer);
  const trails = new Uint32Array(lights.length);
  // Importances are compared only, so that the unit is free: sums stay far from what floats cannot hold.
  const total = lights.reduce((sum, { intensity }) => sum + intensity, 0);
  let used = 0;
  const build = (members: Uint32Array, depth: number, trail: number): { link: number; bounds: LightBounds } => {
    const slot = used++;
    for (let index = 0; index < 4; index++)
      view.setInt32(slot * LIGHT_NODE_STRIDE + LIGHT_NODE_LINK + 4 * index, NO_LIGHT, true);
    const child = (part: Uint32Array, index: number): LightBounds => {
      const way = (trail | (index << depth)) >>> 0;
      const light = part[0]!;
      if (part.length === 1) trails[light] = way;
      const { link, bounds } =
        part.length === 1 ? { link: -1 - light, bounds: lights[light]! } : build(part, depth + 2, way);
      writeChild(view, slot * LIGHT_NODE_STRIDE + 4 * index, bounds, total, link);
      return bounds;
    };
    const sides = halves(lights, members, depth).map((side, index) =>
      halves(lights, side, depth + 1)
        .map((part, second) => child(part, 2 * index + second))
        .reduce(union),
    );
    return { link: slot, bounds: sides.reduce(union) };
  };
  build(Uint32Array.from(lights.keys()), 0, 0);
  return { nodes: nodes.slice(0, used * LIGHT_NODE_STRIDE), trails };
}

/** One light stays alone. */
function halves(lights: readonly LightBounds[], members: Uint32Array, depth: number): Uint32Array[] {
  if (members.length === 1) return [members];
  const middle = split(lights, members, depth);
  return [members.subarray(0, middle), members.subarray(middle)];
}

/** @param at of the child's float of the first property */
function writeChild(view: DataView, at: number, bounds: LightBounds, total: number, link: number): void {
  const { min, max, axis } = bounds;
  const centre = [0, 1, 2].map((k) => Math.fround((min[k]! + max[k]!) / 2));
  const reach = centre.map((value, k) => Math.max(max[k]! - value, value - min[k]!));
  const float = (offset: number, value: number): void => view.setFloat32(at + offset, value, true);
  centre.forEach((value, k) => {
    float(LIGHT_NODE_CENTRE + 16 * k, value);
    float(LIGHT_NODE_AXIS + 16 * k, axis[k]!);
  });
  // Bounds and cones a little too large: what rounding takes away must not cut off a light.
  float(LIGHT_NODE_RADIUS2, Math.hypot(...reach) ** 2 * (1 + 1e-6));
  float(LIGHT_NODE_INTENSITY, bounds.intensity / total);
  float(LIGHT_NODE_COS_SPREAD, Math.max(-1, Math.cos(bounds.spread) - 1e-6));
  float(LIGHT_NODE_COS_EMISSION, Math.cos(bounds.emission) - 1e-5);
  float(LIGHT_NODE_SIDES, bounds.isTwoSided ? -1 : 1);
  view.setInt32(at + LIGHT_NODE_LINK, link, true);
}

function union(a: LightBounds, b: LightBounds): LightBounds {
  const cone = unionOfCones(a, b);
  return {
    min: [0, 1, 2].map((k) => Math.min(a.min[k]!, b.min[k]!)) as Vector,
    max: [0, 1, 2].map((k) => Math.max(a.max[k]!, b.max[k]!)) as Vector,
    ...cone,
    emission: Math.max(a.emission, b.emission),
    intensity: a.intensity + b.intensity,
    isTwoSided: a.isTwoSided || b.isTwoSided,
  };
}

/** Smallest cone around two cones. */
function unionOfCones(a: LightBounds, b: LightBounds): { axis: Vector; spread: number } {
  const [wide, narrow] = a.spread >= b.spread ? [a, b] : [b, a];
  const along = wide.axis[0] * narrow.axis[0] + wide.axis[1] * narrow.axis[1] + wide.axis[2] * narrow.axis[2];
  // Two-sided lights have no front: their normals may be turned to the same side.
  const turn = along < 0 && a.isTwoSided && b.isTwoSided ? -1 : 1;
  const between = Math.acos(Math.max(-1, Math.min(1, turn * along)));
  if (Math.min(between + narrow.spread, Math.PI) <= wide.spread) return { axis: wide.axis, spread: wide.spread };
  const spread = (wide.spread + between + narrow.spread) / 2;
  // Rotates the wide cone's axis towards the other, in the plane of both.
  const across = unit([0, 1, 2].map((k) => turn * (narrow.axis[k]! - along * wide.axis[k]!)) as Vector);
  if (spread >= Math.PI || Math.hypot(...across) === 0) return { axis: [0, 0, 0], spread: Math.PI };
  const angle = spread - wide.spread;
  const axis = [0, 1, 2].map((k) => wide.axis[k]! * Math.cos(angle) + across[k]! * Math.sin(angle)) as Vector;
  return { axis: unit(axis), spread };
}

/** Sorts members into two groups and returns where the second begins. */
function split(lights: readonly LightBounds[], members: Uint32Array, depth: number): number {
  const centre = (light: number, axis: number): number => lights[light]!.min[axis]! + lights[light]!.max[axis]!;
  let axis = 0;
  let low = 0;
  let extent = 0;
  for (let k = 0; k < 3; k++) {
    let least = Infinity;
    let most = -Infinity;
    for (const light of members) {
      least = Math.min(least, centre(light, k));
      most = Math.max(most, centre(light, k));
    }
    if (most - least > extent) [axis, low, extent] = [k, least, most - least];
  }
  const half = members.length >> 1;
  const mustHalve = depth + Math.ceil(Math.log2(members.length)) >= LIGHT_TREE_DEPTH;
  if (!(extent > 0)) return half;
  if (!mustHalve) {
    const binOf = (light: number): number =>
      Math.min(BINS - 1, Math.floor(((centre(light, axis) - low) / extent) * BINS));
    const bins = Array.from({ length: BINS }, () => new Group());
    for (const light of members) bins[binOf(light)]!.add(lights[light]!);
    const border = cheapestBorder(bins);
    let middle = 0;
    for (let i = 0; i < members.length; i++) {
      const light = members[i]!;
      if (binOf(light) >= border) continue;
      members[i] = members[middle]!;
      members[middle++] = light;
    }
    if (middle > 0 && middle < members.length) return middle;
  }
  members.sort((a, b) => centre(a, axis) - centre(b, axis) || a - b);
  return half;
}

/** The first bin of the second group where both groups together cost least. */
function cheapestBorder(bins: readonly Group[]): number {
  const costs = new Array<number>(bins.length).fill(0);
  const left = new Group();
  const right = new Group();
  for (let i = 1; i < bins.length; i++) {
    left.join(bins[i - 1]!);
    costs[i]! += left.cost();
  }
  for (let i = bins.length - 1; i > 0; i--) {
    right.join(bins[i]!);
    costs[i]! += right.cost();
  }
  let best = 1;
  for (let i = 2; i < bins.length; i++) if (costs[i]! < costs[best]!) best = i;
  return best;
}

/** Lights that may go to one side: their box and, roughly, how their normals spread. */
class Group {
  readonly #min: Vector = [Infinity, Infinity, Infinity];
  readonly #max: Vector = [-Infinity, -Infinity, -Infinity];
  readonly #normals: Vector = [0, 0, 0];
  #count = 0;
  #intensity = 0;
  #spread = 0;
  #emission = 0;

  add({ min, max, axis, spread, emission, intensity }: LightBounds): void {
    for (let k = 0; k < 3; k++) {
      this.#min[k] = Math.min(this.#min[k]!, min[k]!);
      this.#max[k] = Math.max(this.#max[k]!, max[k]!);
      this.#normals[k]! += axis[k]!;
    }
    this.#count++;
    this.#intensity += intensity;
    this.#spread = Math.max(this.#spread, spread);
    this.#emission = Math.max(this.#emission, emission);
  }

  join(other: Group): void {
    for (let k = 0; k < 3; k++) {
      this.#min[k] = Math.min(this.#min[k]!, other.#min[k]!);
      this.#max[k] = Math.max(this.#max[k]!, other.#max[k]!);
      this.#normals[k]! += other.#normals[k]!;
    }
    this.#count += other.#count;
    this.#intensity += other.#intensity;
    this.#spread = Math.max(this.#spread, other.#spread);
    this.#emission = Math.max(this.#emission, other.#emission);
  }

  /** Surface area orientation heuristic: intensity times area of the box times measure of where light leaves to. */
  cost(): number {
    if (this.#count === 0) return 0;
    const size = this.#max.map((value, k) => value - this.#min[k]!) as Vector;
    const area = 2 * (size[0] * size[1] + size[1] * size[2] + size[2] * size[0]);
    // Directions spread evenly over a cone have a mean of length (1 + cos) / 2.
    const mean = Math.hypot(...this.#normals) / this.#count;
    const spread = Math.max(this.#spread, Math.acos(Math.max(-1, Math.min(1, 2 * mean - 1))));
    const reach = Math.min(Math.PI, spread + this.#emission);
    const [sin, cos] = [Math.sin(spread), Math.cos(spread)];
    const fringe = 2 * reach * sin - Math.cos(spread - 2 * reach) - 2 * spread * sin + cos;
    // Boxes without area (lights in a row) still differ in length.
    const length2 = size[0] ** 2 + size[1] ** 2 + size[2] ** 2;
    return this.#intensity * (area + 1e-3 * length2) * (2 * Math.PI * (1 - cos) + (Math.PI / 2) * fringe);
  }
}
