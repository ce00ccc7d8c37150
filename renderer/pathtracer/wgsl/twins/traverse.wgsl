// Traversal of the very trees that traverse.ts walks, for one ray a thread: both levels in one loop and on one stack, so that
// neighbouring threads stay together. The nearest child is followed, the others wait in any order and are culled when popped.
const STACK_SIZE = 96u;
const ROBUST = 1.0000006f;

var<private> traverse_hitT: f32;
var<private> traverse_hitU: f32;
var<private> traverse_hitV: f32;
var<private> traverse_hitTriangle: u32;
var<private> traverse_hitInstance: u32;
var<private> rays_cast: u32;

var<private> scene_nodes: u32;
var<private> scene_instances: u32;

/// Distance and reference of children that wait.
var<private> stack: array<vec2<u32>, STACK_SIZE>;
var<private> stack_top: u32;
/// Set when the stack was too small; the host refuses the picture.
var<private> stack_overflow: bool;

fn set_traversal(scene: u32) {
  scene_nodes = load_u32(scene + u32(layout_SCENE_NODES));
  scene_instances = load_u32(scene + u32(layout_SCENE_INSTANCES));
  rays_cast = 0u;
  stack_overflow = false;
}

@must_use fn reciprocal(d: f32) -> f32 {
  return 1.0f / select(copysign_f32(1e-18f, d), d, abs(d) > 1e-18f);
}

fn push(t: f32, reference: u32) {
  if (stack_top == STACK_SIZE) {
    stack_overflow = true;
    return;
  }
  stack[stack_top] = vec2<u32>(bitcast<u32>(t), reference);
  stack_top++;
}

fn traverse_intersect(origin: vec4<f32>, direction: vec4<f32>, tMax: f32) -> bool {
  return traverse(origin, direction, tMax, false);
}

fn traverse_occluded(origin: vec4<f32>, direction: vec4<f32>, tMax: f32) -> bool {
  return traverse(origin, direction, tMax, true);
}

fn traverse(origin: vec4<f32>, direction: vec4<f32>, tMax: f32, any_hit: bool) -> bool {
  rays_cast++;
  traverse_hitT = tMax;
  traverse_hitInstance = 0u;
  if (scene_nodes == 0u) {
    return false;
  }
  var o = origin.xyz;
  var d = direction.xyz;
  var inverse = vec3<f32>(reciprocal(d.x), reciprocal(d.y), reciprocal(d.z));
  var nodes = scene_nodes;
  var instance = 0u;
  var mesh = 0u;
  var packs = 0u;
  var alpha = false;
  stack_top = 0u;
  var bottom = 0u;
  var current = 0i;
  loop {
    if (current >= 0i) {
      let node = nodes + u32(current) * u32(layout_NODE_STRIDE);
      current = hit_children(node, o, inverse);
      if (current != NO_CHILD) {
        continue;
      }
    } else if (instance != 0u) {
      let pack = packs + u32(~current) * u32(layout_PACK_STRIDE);
      if (hit_pack(pack, o, d, instance, mesh, alpha) && any_hit) {
        return true;
      }
    } else {
      instance = scene_instances + u32(~current) * u32(layout_INSTANCE_STRIDE);
      let toObject = instance + u32(layout_INSTANCE_TO_OBJECT);
      o = vec_transformPoint(toObject, origin).xyz;
      d = vec_transformVector(toObject, direction).xyz;
      inverse = vec3<f32>(reciprocal(d.x), reciprocal(d.y), reciprocal(d.z));
      mesh = load_u32(instance + u32(layout_INSTANCE_MESH));
      nodes = load_u32(mesh + u32(layout_MESH_NODES));
      packs = load_u32(mesh + u32(layout_MESH_PACKS));
      alpha = load_u32(mesh + u32(layout_MESH_ALPHA)) != 0u;
      bottom = stack_top;
      current = 0i;
      continue;
    }
    loop {
      if (stack_top == bottom) {
        if (instance == 0u) {
          return traverse_hitInstance != 0u;
        }
        instance = 0u;
        nodes = scene_nodes;
        o = origin.xyz;
        d = direction.xyz;
        inverse = vec3<f32>(reciprocal(d.x), reciprocal(d.y), reciprocal(d.z));
        bottom = 0u;
        continue;
      }
      stack_top--;
      let entry = stack[stack_top];
      current = bitcast<i32>(entry.y);
      if (bitcast<f32>(entry.x) < traverse_hitT) {
        break;
      }
    }
  }
}

const NO_CHILD = 0x7fffffffi;

/// The nearest child that is hit before `traverse_hitT`, NO_CHILD when none is; the others go onto the stack.
fn hit_children(node: u32, o: vec3<f32>, inverse: vec3<f32>) -> i32 {
  var best = NO_CHILD;
  var best_t = 0.0f;
  let far_inverse = inverse * ROBUST;
  let near = node + select(vec3<u32>(0u, 64u, 128u), vec3<u32>(32u, 96u, 160u), inverse < vec3<f32>(0.0f));
  let far = node + select(vec3<u32>(32u, 96u, 160u), vec3<u32>(0u, 64u, 128u), inverse < vec3<f32>(0.0f));
  for (var half = 0u; half < 32u; half += 16u) {
    let t0 = pmax(
      pmax((load_vec4(near.x + half) - o.x) * inverse.x, (load_vec4(near.y + half) - o.y) * inverse.y),
      pmax((load_vec4(near.z + half) - o.z) * inverse.z, vec4<f32>(0.0f)),
    );
    let t1 = pmin(
      pmin((load_vec4(far.x + half) - o.x) * far_inverse.x, (load_vec4(far.y + half) - o.y) * far_inverse.y),
      pmin((load_vec4(far.z + half) - o.z) * far_inverse.z, vec4<f32>(traverse_hitT)),
    );
    let hit = t0 <= t1;
    if (any(hit)) {
      let children = bitcast<vec4<i32>>(load_vec4(node + u32(layout_NODE_CHILDREN) + half));
      for (var i = 0u; i < 4u; i++) {
        if (hit[i]) {
          if (best == NO_CHILD) {
            best = children[i];
            best_t = t0[i];
          } else if (t0[i] < best_t) {
            push(best_t, bitcast<u32>(best));
            best = children[i];
            best_t = t0[i];
          } else {
            push(t0[i], bitcast<u32>(children[i]));
          }
        }
      }
    }
  }
  return best;
}

/// Tests four triangles (Moeller and Trumbore 1997); keeps the nearest. True when one was hit.
fn hit_pack(pack: u32, o: vec3<f32>, d: vec3<f32>, instance: u32, mesh: u32, alpha: bool) -> bool {
  let e1x = load_vec4(pack + 48u);
  let e1y = load_vec4(pack + 64u);
  let e1z = load_vec4(pack + 80u);
  let e2x = load_vec4(pack + 96u);
  let e2y = load_vec4(pack + 112u);
  let e2z = load_vec4(pack + 128u);
  let px = d.y * e2z - d.z * e2y;
  let py = d.z * e2x - d.x * e2z;
  let pz = d.x * e2y - d.y * e2x;
  let inverse = 1.0f / (e1x * px + e1y * py + e1z * pz);
  let tx = o.x - load_vec4(pack);
  let ty = o.y - load_vec4(pack + 16u);
  let tz = o.z - load_vec4(pack + 32u);
  let u = (tx * px + ty * py + tz * pz) * inverse;
  let qx = ty * e1z - tz * e1y;
  let qy = tz * e1x - tx * e1z;
  let qz = tx * e1y - ty * e1x;
  let v = (d.x * qx + d.y * qy + d.z * qz) * inverse;
  let t = (e2x * qx + e2y * qy + e2z * qz) * inverse;
  let inside = (u >= vec4<f32>(0.0f)) & (v >= vec4<f32>(0.0f)) & (u + v <= vec4<f32>(1.0f)) &
    (t > vec4<f32>(0.0f)) & (t < vec4<f32>(traverse_hitT));
  var found = false;
  if (any(inside)) {
    for (var i = 0u; i < 4u; i++) {
      if (inside[i] && t[i] < traverse_hitT) {
        let triangle = load_i32(pack + u32(layout_PACK_IDS) + 4u * i);
        if (triangle >= 0i && !(alpha && !alpha_passesAlpha(instance, mesh, triangle, u[i], v[i]))) {
          traverse_hitT = t[i];
          traverse_hitU = u[i];
          traverse_hitV = v[i];
          traverse_hitTriangle = pack + 4u * i;
          traverse_hitInstance = instance;
          found = true;
        }
      }
    }
  }
  return found;
}
