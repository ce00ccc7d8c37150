// Which nodes of the binary tree become children of wide ones: the collapse whose wide nodes have the least surface area in all,
// found by dynamic programming (Ylitie, Karras and Laine 2017, "Efficient Incoherent Ray Traversal on GPUs Through Compressed Wide
// BVHs", section 3.1). Leaves are what they were, so they do not count.
import { areaOf, BINARY_LEFT, BINARY_RIGHT, binaryCount, binaryNode } from './bvh-build';
import { COLLAPSE_STRIDE, NODE_WIDTH } from './layout';

// Record of a binary node: for r = 1 to 7 the area of wide nodes below it when it is made into at most r trees, then a byte for
// each r: how many of the trees its left child gets, 0 where r - 1 trees are no worse. At r = 1 these are a wide node's children.
const CHOICES: usize = 28;

let records: usize = 0;
let leftOfCheapest: i32 = 0;
let next: usize = 0;

// @ts-ignore: decorator
@inline function recordOf(index: i32): usize {
  return records + <usize>index * COLLAPSE_STRIDE;
}

/**
 * Decides on the binary tree that was built last. `recordsAt` holds COLLAPSE_STRIDE bytes for each of its nodes, until the wide
 * nodes are written. Returns the number of wide nodes.
 */
export function chooseCollapse(recordsAt: usize): i32 {
  records = recordsAt;
  // Children have larger numbers than their parents.
  for (let i = binaryCount - 1; i >= 0; i--) {
    const binary = binaryNode(i);
    const record = recordOf(i);
    const left = load<i32>(binary, BINARY_LEFT);
    if (left < 0) {
      memory.fill(record, 0, COLLAPSE_STRIDE);
      continue;
    }
    const a = recordOf(left);
    const b = recordOf(load<i32>(binary, BINARY_RIGHT));
    let area = areaOf(binary) + cheapest(a, b, NODE_WIDTH);
    store<f32>(record, area);
    store<u8>(record + 1, leftOfCheapest, CHOICES);
    for (let trees = 2; trees < NODE_WIDTH; trees++) {
      const apart = cheapest(a, b, trees);
      const pays = apart < area;
      if (pays) area = apart;
      store<f32>(record + (<usize>(trees - 1) << 2), area);
      store<u8>(record + <usize>trees, pays ? leftOfCheapest : 0, CHOICES);
    }
  }
  return max<i32>(1, wideNodesOf(0, 1));
}

/** Least area of two children's records that get `trees` trees between them; leaves the left one's share in `leftOfCheapest`. */
function cheapest(a: usize, b: usize, trees: i32): f32 {
  let least: f32 = Infinity;
  for (let left = 1; left < trees; left++) {
    const area = load<f32>(a + (<usize>(left - 1) << 2)) + load<f32>(b + (<usize>(trees - left - 1) << 2));
    if (area < least) {
      least = area;
      leftOfCheapest = left;
    }
  }
  return least;
}

/** How many of the `trees` trees that a node may become it is worth to become. */
function treesOf(index: i32, trees: i32): i32 {
  const record = recordOf(index);
  while (trees > 1 && load<u8>(record + <usize>trees, CHOICES) == 0) trees--;
  return trees;
}

function wideNodesOf(index: i32, most: i32): i32 {
  const binary = binaryNode(index);
  if (load<i32>(binary, BINARY_LEFT) < 0) return 0;
  const trees = treesOf(index, most);
  const left = load<u8>(recordOf(index) + <usize>trees, CHOICES);
  const right = (trees == 1 ? NODE_WIDTH : trees) - left;
  const below = wideNodesOf(load<i32>(binary, BINARY_LEFT), left) + wideNodesOf(load<i32>(binary, BINARY_RIGHT), right);
  return trees == 1 ? below + 1 : below;
}

/** Writes the binary nodes that become the children of the wide node made of inner node `index` to `to`; returns how many. */
export function collapseNode(index: i32, to: usize): i32 {
  next = to;
  share(index, 1, NODE_WIDTH);
  return <i32>((next - to) >> 2);
}

/** Shares out the trees that a node becomes among its children, as decided for `choice` trees. */
function share(index: i32, choice: i32, trees: i32): void {
  const binary = binaryNode(index);
  const left = load<u8>(recordOf(index) + <usize>choice, CHOICES);
  takeTrees(load<i32>(binary, BINARY_LEFT), left);
  takeTrees(load<i32>(binary, BINARY_RIGHT), trees - left);
}

function takeTrees(index: i32, most: i32): void {
  const trees = treesOf(index, most);
  if (trees > 1) {
    share(index, trees, trees);
  } else {
    store<i32>(next, index);
    next += 4;
  }
}
