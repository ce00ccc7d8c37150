// Traversal of the very trees that traverse.ts walks, for one ray a thread: both levels in one loop and on one stack, so that
// neighbouring threads stay together. The nearest child is followed, the others wait in any order and are culled when popped.
const STACK_SIZE = 128u;
/// 1 + 2 gamma(3), rounded up (Ize 2013, "Robust BVH Ray Traversal").
const ROBUST = 1.0000006f;
/// 16 ulps, as in traverse-mesh.ts.
const SLACK = 9.5367432e-7f;
const NO_CHILD = 0x7fffffffi;

var<private> traverse_mesh_hitT: f32;
var<private> traverse_mesh_hitU: f32;
var<private> traverse_mesh_hitV: f32;
var<private> traverse_mesh_hitTriangle: u32;
var<private> traverse_mesh_hitInstance: u32;
var<private> rays_cast: u32;
/// What the newest closest-hit ray met: shadow rays after it use the others again. For record.wgsl.
var<private> met_at: f32;
var<private> met_instance: u32;

var<private> scene_nodes: u32;
var<private> scene_instances: u32;

/// Distance and reference of children that wait.
var<private> stack: array<vec2<u32>, STACK_SIZE>;
var<private> stack_top: u32;
/// Set when the stack was too small; the host refuses the picture then.
var<private> stack_overflow: bool;

fn set_traversal(scene: u32) {
  scene_nodes = load_u32(scene + u32(layout_SCENE_NODES));
  scene_instances = load_u32(scene + u32(layout_SCENE_INSTANCES));
  rays_cast = 0u;
  stack_overflow = false;
  instance_setInstanceTime(0.0f);
}

fn traverse_intersect(origin: vec4<f32>, direction: vec4<f32>, tMax: f32) -> bool {
  let found = traverse(origin, direction, tMax, false);
  met_at = traverse_mesh_hitT;
  met_instance = traverse_mesh_hitInstance;
  return found;
}

fn traverse_occluded(origin: vec4<f32>, direction: vec4<f32>, tMax: f32) -> bool {
  return traverse(origin, direction, tMax, true);
}

/// A ray in the space of the tree that is being walked.
struct Ray {
  origin: vec3<f32>,
  inverse: vec3<f32>,
  /// Where in a node the planes lie that the ray enters and leaves through, by axis.
  near: vec3<u32>,
  far: vec3<u32>,
}

/// The space in which the ray is the z axis, and whose axes are the mesh's in another order (Woop et al. 2013).
struct Shear {
  /// Byte offsets inside a pack.
  axis: vec3<u32>,
  origin: vec3<f32>,
  shear: vec3<f32>,
  slack: f32,
}

@must_use fn reciprocal(d: f32) -> f32 {
  return 1.0f / select(copysign_f32(1e-18f, d), d, abs(d) > 1e-18f);
}

@must_use fn ray_of(origin: vec3<f32>, direction: vec3<f32>) -> Ray {
  let inverse = vec3<f32>(reciprocal(direction.x), reciprocal(direction.y), reciprocal(direction.z));
  let low = vec3<u32>(0u, 64u, 128u);
  let high = vec3<u32>(32u, 96u, 160u);
  let backwards = inverse < vec3<f32>(0.0f);
  return Ray(origin, inverse, select(low, high, backwards), select(high, low, backwards));
}

@must_use fn shear_of(o: vec3<f32>, d: vec3<f32>, inverse: vec3<f32>, mesh: u32) -> Shear {
  let a = abs(d);
  let mainX = a.x >= a.y && a.x >= a.z;
  let mainY = !mainX && a.y >= a.z;
  let main = select(select(2u, 1u, mainY), 0u, mainX);
  let first = select(0u, 1u, mainX);
  let second = select(1u, 2u, mainX || mainY);
  let along = select(select(o.z, o.y, mainY), o.x, mainX);
  let scale = select(select(inverse.z, inverse.y, mainY), inverse.x, mainX);
  let uDirection = select(d.x, d.y, mainX);
  let vDirection = select(d.y, d.z, mainX || mainY);
  let bounds = mesh + 4u * main;
  let reach = max(
    abs(load_f32(bounds + u32(layout_MESH_MIN)) - along),
    abs(load_f32(bounds + u32(layout_MESH_MAX)) - along),
  );
  return Shear(
    16u * vec3<u32>(first, second, main),
    vec3<f32>(select(o.x, o.y, mainX), select(o.y, o.z, mainX || mainY), along),
    vec3<f32>(uDirection * scale, vDirection * scale, scale),
    SLACK * abs(scale) * reach,
  );
}

fn push(t: f32, reference: i32) {
  if (stack_top >= STACK_SIZE) {
    stack_overflow = true;
    return;
  }
  stack[stack_top] = vec2<u32>(bitcast<u32>(t), bitcast<u32>(reference));
  stack_top++;
}

fn traverse(origin: vec4<f32>, direction: vec4<f32>, tMax: f32, any_hit: bool) -> bool {
  rays_cast++;
  traverse_mesh_hitT = tMax;
  traverse_mesh_hitInstance = 0u;
  if (scene_nodes == 0u) {
    return false;
  }
  let world = ray_of(origin.xyz, direction.xyz);
  var ray = world;
  var shear: Shear;
  var nodes = scene_nodes;
  // 0 while the scene's tree is walked.
  var instance = 0u;
  var mesh = 0u;
  var bottom = 0u;
  var current = 0i;
  // Boxes that begin behind this are culled.
  var reach = tMax;
  stack_top = 0u;
  loop {
    if (current >= 0i) {
      current = hit_children(nodes + (u32(current) << u32(layout_REFERENCE_SHIFT)), ray, reach);
      if (current != NO_CHILD) {
        continue;
      }
    } else if (instance != 0u) {
      let pack = load_u32(mesh + u32(layout_MESH_PACKS)) + (u32(~current) << u32(layout_REFERENCE_SHIFT));
      if (hit_pack(pack, shear, instance, mesh, any_hit)) {
        if (any_hit) {
          return true;
        }
        reach = traverse_mesh_hitT + traverse_mesh_hitT * SLACK + shear.slack;
      }
    } else {
      instance = scene_instances + u32(~current) * u32(layout_INSTANCE_STRIDE);
      mesh = load_u32(instance + u32(layout_INSTANCE_MESH));
      nodes = load_u32(mesh + u32(layout_MESH_NODES));
      var o = origin;
      var d = direction;
      if (load_u32(instance + u32(layout_INSTANCE_MOTION)) != 0u) {
        instance_placeInstance(instance);
        o = instance_pointToObject(origin);
        d = instance_vectorToObject(direction);
      } else if ((load_i32(instance + u32(layout_INSTANCE_FLAGS)) & layout_INSTANCE_IS_IDENTITY) == 0i) {
        o = vec_transformPoint(instance + u32(layout_INSTANCE_TO_OBJECT), origin);
        d = vec_transformVector(instance + u32(layout_INSTANCE_TO_OBJECT), direction);
      }
      ray = ray_of(o.xyz, d.xyz);
      shear = shear_of(o.xyz, d.xyz, ray.inverse, mesh);
      reach = traverse_mesh_hitT + traverse_mesh_hitT * SLACK + shear.slack;
      bottom = stack_top;
      current = 0i;
      continue;
    }
    loop {
      if (stack_top == bottom) {
        if (instance == 0u) {
          return !any_hit && traverse_mesh_hitInstance != 0u;
        }
        instance = 0u;
        nodes = scene_nodes;
        ray = world;
        reach = traverse_mesh_hitT;
        bottom = 0u;
        continue;
      }
      stack_top--;
      let entry = stack[stack_top];
      current = bitcast<i32>(entry.y);
      if (bitcast<f32>(entry.x) <= reach) {
        break;
      }
    }
  }
}

/// The nearest child that is hit before `reach`, NO_CHILD when none is; the others go onto the stack.
fn hit_children(node: u32, ray: Ray, reach: f32) -> i32 {
  var best = NO_CHILD;
  var best_t = 0.0f;
  let near = node + ray.near;
  let far = node + ray.far;
  for (var half = 0u; half < 32u; half += 16u) {
    let t0 = pmax(
      pmax((load_vec4(near.x + half) - ray.origin.x) * ray.inverse.x, (load_vec4(near.y + half) - ray.origin.y) * ray.inverse.y),
      pmax((load_vec4(near.z + half) - ray.origin.z) * ray.inverse.z, vec4<f32>(0.0f)),
    );
    let t1 = pmin(
      pmin((load_vec4(far.x + half) - ray.origin.x) * ray.inverse.x, (load_vec4(far.y + half) - ray.origin.y) * ray.inverse.y),
      pmin((load_vec4(far.z + half) - ray.origin.z) * ray.inverse.z, vec4<f32>(reach)),
    );
    let hit = t0 <= t1 * ROBUST;
    if (any(hit)) {
      let children = load_vec4i(node + u32(layout_NODE_CHILDREN) + half);
      for (var i = 0u; i < 4u; i++) {
        if (hit[i]) {
          if (best == NO_CHILD) {
            best = children[i];
            best_t = t0[i];
          } else if (t0[i] < best_t) {
            push(best_t, best);
            best = children[i];
            best_t = t0[i];
          } else {
            push(t0[i], children[i]);
          }
        }
      }
    }
  }
  return best;
}

@must_use fn corners(at: u32, moving: bool) -> vec4<f32> {
  if (moving) {
    return load_vec4(at) + load_vec4(at + u32(layout_PACK_DELTAS)) * instance_rayTime;
  }
  return load_vec4(at);
}

/// Tests four triangles and keeps the nearest that counts. True when one was hit.
fn hit_pack(pack: u32, shear: Shear, instance: u32, mesh: u32, any_hit: bool) -> bool {
  let moving = load_u32(mesh + u32(layout_MESH_MOVING)) != 0u;
  let v1 = u32(layout_PACK_V1);
  let v2 = u32(layout_PACK_V2);
  let us = pack + shear.axis.x;
  let vs = pack + shear.axis.y;
  let ws = pack + shear.axis.z;
  let aw = corners(ws, moving) - shear.origin.z;
  let bw = corners(ws + v1, moving) - shear.origin.z;
  let cw = corners(ws + v2, moving) - shear.origin.z;
  let au = corners(us, moving) - shear.origin.x - aw * shear.shear.x;
  let av = corners(vs, moving) - shear.origin.y - aw * shear.shear.y;
  let bu = corners(us + v1, moving) - shear.origin.x - bw * shear.shear.x;
  let bv = corners(vs + v1, moving) - shear.origin.y - bw * shear.shear.y;
  let cu = corners(us + v2, moving) - shear.origin.x - cw * shear.shear.x;
  let cv = corners(vs + v2, moving) - shear.origin.y - cw * shear.shear.y;
  let area_a = cu * bv - cv * bu;
  let area_b = au * cv - av * cu;
  let area_c = bu * av - bv * au;
  let zero = vec4<f32>(0.0f);
  let inside = (pmin(pmin(area_a, area_b), area_c) >= zero) | (pmax(pmax(area_a, area_b), area_c) <= zero);
  if (!any(inside)) {
    return false;
  }
  let scale = 1.0f / (area_a + area_b + area_c);
  let u = area_b * scale;
  let v = area_c * scale;
  let t = (area_a * scale * aw + u * bw + v * cw) * shear.shear.z;
  let hit = inside & (t > zero) & (t <= vec4<f32>(traverse_mesh_hitT));
  if (!any(hit)) {
    return false;
  }
  let ids = load_vec4i(pack + u32(layout_PACK_IDS));
  let alpha = load_u32(mesh + u32(layout_MESH_ALPHA)) != 0u;
  var found = false;
  for (var i = 0u; i < 4u; i++) {
    // Lanes without a triangle have no id: their numbers are no numbers.
    if (hit[i] && ids[i] >= 0i && wins(t[i], instance, ids[i], any_hit)) {
      if (!alpha || alpha_passesAlpha(instance, mesh, ids[i], u[i], v[i])) {
        traverse_mesh_hitT = t[i];
        traverse_mesh_hitU = u[i];
        traverse_mesh_hitV = v[i];
        traverse_mesh_hitTriangle = pack + 4u * i;
        traverse_mesh_hitInstance = instance;
        found = true;
      }
    }
  }
  return found;
}

/// Nearer than the hit so far, or as near and of a lower instance or triangle.
@must_use fn wins(t: f32, instance: u32, triangle: i32, any_hit: bool) -> bool {
  if (any_hit || t != traverse_mesh_hitT) {
    return t < traverse_mesh_hitT;
  }
  if (traverse_mesh_hitInstance == 0u || instance != traverse_mesh_hitInstance) {
    return instance < traverse_mesh_hitInstance;
  }
  return triangle < load_i32(traverse_mesh_hitTriangle + u32(layout_PACK_IDS));
}
