/** The raster draft's shader: the ray caster's shading (see `raycast/kernels/` for its sources), a triangle at a time. */
export const RASTER_SHADER = /* wgsl */ `
struct View {
  right: vec4f, up: vec4f, back: vec4f, eye: vec4f,
  // middle of the picture from the tile's corner, size of the tile, in pixels
  middle: vec2f, tile: vec2f,
  pixelSize: f32, near: f32, far: f32, orthographic: f32,
  lights: f32, environment: f32, sharpSize: vec2f,
}
struct Instance { model: mat4x4f, normal: mat3x3f }
struct Slot { row0: vec4f, row1: vec4f } // transform; row0.w: present, row1.w: second texture coordinates
struct Material {
  base: vec4f,
  emissive: vec4f, // w: metallic
  // roughness, normal scale, cutoff (below 0: none), transmission
  shape: vec4f,
  // unlit, see-through
  flags: vec4f,
  slots: array<Slot, 4>, // base, roughness, normal, emissive
}
struct Light { position: vec4f, towards: vec4f, intensity: vec4f }

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<storage, read> instances: array<Instance>;
@group(0) @binding(2) var<storage, read> lights: array<f32>;
@group(0) @binding(3) var<storage, read> irradiance: array<f32>;
@group(0) @binding(4) var<storage, read> sharp: array<f32>;
@group(0) @binding(5) var<storage, read> blurred: array<f32>;
@group(1) @binding(0) var<uniform> material: Material;
@group(1) @binding(1) var baseTexture: texture_2d<f32>;
@group(1) @binding(2) var baseSampler: sampler;
@group(1) @binding(3) var roughTexture: texture_2d<f32>;
@group(1) @binding(4) var roughSampler: sampler;
@group(1) @binding(5) var normalTexture: texture_2d<f32>;
@group(1) @binding(6) var normalSampler: sampler;
@group(1) @binding(7) var glowTexture: texture_2d<f32>;
@group(1) @binding(8) var glowSampler: sampler;

struct Corner {
  @location(0) position: vec3f, @location(1) normal: vec3f, @location(2) tangent: vec4f,
  @location(3) uv: vec4f, @location(4) color: vec4f,
}
struct Point {
  @builtin(position) clip: vec4f,
  @location(0) place: vec3f, @location(1) normal: vec3f, @location(2) tangent: vec4f,
  @location(3) uv: vec4f, @location(4) color: vec4f,
}
struct Pixel { @location(0) beauty: vec4f, @location(1) albedo: vec4f, @location(2) normalDepth: vec4f }

fn viewDepth(place: vec3f) -> f32 { return -dot(place - view.eye.xyz, view.back.xyz); }

@vertex fn corner(in: Corner, @builtin(instance_index) index: u32) -> Point {
  let instance = instances[index];
  let place = (instance.model * vec4f(in.position, 1.0)).xyz;
  let away = place - view.eye.xyz;
  let d = viewDepth(place);
  // What lies at distance d lies there on the picture, in pixels, times w.
  let w = select(d, 1.0, view.orthographic > 0.5);
  let px = dot(away, view.right.xyz) / view.pixelSize + view.middle.x * w;
  let py = view.middle.y * w - dot(away, view.up.xyz) / view.pixelSize;
  // Reversed depth (near is 1): float depth is evenly fine that way.
  let z = select(view.near, 1.0 - (d - view.near) / (view.far - view.near), view.orthographic > 0.5);
  var out: Point;
  out.clip = vec4f(2.0 * px / view.tile.x - w, w - 2.0 * py / view.tile.y, z, w);
  out.place = place;
  out.normal = instance.normal * in.normal;
  out.tangent = vec4f((instance.model * vec4f(in.tangent.xyz, 0.0)).xyz, in.tangent.w);
  out.uv = in.uv;
  out.color = in.color;
  return out;
}

fn slotUv(slot: Slot, uv: vec4f) -> vec2f {
  let c = vec3f(select(uv.xy, uv.zw, slot.row1.w > 0.5), 1.0);
  return vec2f(dot(slot.row0.xyz, c), dot(slot.row1.xyz, c));
}

fn directionUv(d: vec3f) -> vec2f {
  return vec2f(0.5 + atan2(d.x, -d.z) * 0.15915494, acos(clamp(d.y, -1.0, 1.0)) * 0.31830989);
}
fn sharpTexel(x: i32, y: i32) -> vec3f {
  let w = i32(view.sharpSize.x);
  let at = u32(3 * (clamp(y, 0, i32(view.sharpSize.y) - 1) * w + ((x + w) % w)));
  return vec3f(sharp[at], sharp[at + 1u], sharp[at + 2u]);
}
fn sharpAt(uv: vec2f) -> vec3f {
  let p = uv * view.sharpSize - 0.5;
  let f = fract(p);
  let i = vec2i(floor(p));
  return mix(mix(sharpTexel(i.x, i.y), sharpTexel(i.x + 1, i.y), f.x), mix(sharpTexel(i.x, i.y + 1), sharpTexel(i.x + 1, i.y + 1), f.x), f.y);
}
fn blurredTexel(level: i32, x: i32, y: i32) -> vec3f {
  let at = u32(3 * ((level * 32 + clamp(y, 0, 31)) * 64 + ((x + 64) % 64)));
  return vec3f(blurred[at], blurred[at + 1u], blurred[at + 2u]);
}
fn blurredAt(level: i32, uv: vec2f) -> vec3f {
  let p = uv * vec2f(64.0, 32.0) - 0.5;
  let f = fract(p);
  let i = vec2i(floor(p));
  return mix(mix(blurredTexel(level, i.x, i.y), blurredTexel(level, i.x + 1, i.y), f.x), mix(blurredTexel(level, i.x, i.y + 1), blurredTexel(level, i.x + 1, i.y + 1), f.x), f.y);
}
fn mirrored(direction: vec3f, roughness: f32) -> vec3f {
  let uv = directionUv(direction);
  let level = roughness * 4.0;
  let l = i32(floor(level));
  let upper = blurredAt(min(l, 3), uv);
  if (l >= 4) { return upper; }
  var lower = blurredAt(max(l - 1, 0), uv);
  if (l == 0 && view.environment > 0.5) { lower = sharpAt(uv); }
  return mix(lower, upper, fract(level));
}
fn rgb(n: u32) -> vec3f { return vec3f(irradiance[3u * n], irradiance[3u * n + 1u], irradiance[3u * n + 2u]); }

@fragment fn surface(in: Point) -> Pixel {
  let baseUv = slotUv(material.slots[0], in.uv);
  let baseTexel = textureSample(baseTexture, baseSampler, baseUv);
  let rough = textureSample(roughTexture, roughSampler, slotUv(material.slots[1], in.uv));
  let bend = textureSample(normalTexture, normalSampler, slotUv(material.slots[2], in.uv)).xyz * 2.0 - 1.0;
  let glow = textureSample(glowTexture, glowSampler, slotUv(material.slots[3], in.uv)).rgb;
  let base = material.base * baseTexel * in.color;
  if (base.a < material.shape.z) { discard; }
  var n = normalize(in.normal);
  if (material.slots[2].row0.w > 0.5) {
    let t = in.tangent.xyz - dot(in.tangent.xyz, n) * n;
    if (dot(t, t) > 1e-20) {
      let tangent = normalize(t);
      let bitangent = cross(n, tangent) * select(1.0, -1.0, in.tangent.w < 0.0);
      n = normalize(tangent * bend.x * material.shape.y + bitangent * bend.y * material.shape.y + n * bend.z);
    }
  }
  var ray = normalize(in.place - view.eye.xyz);
  if (view.orthographic > 0.5) { ray = -view.back.xyz; }
  if (dot(n, ray) > 0.0) { n = -n; }
  var alpha = 1.0;
  if (material.flags.y > 0.5) { alpha = base.a; }
  let through = material.shape.w;
  var out: Pixel;
  out.albedo = vec4f(base.rgb, 1.0);
  out.normalDepth = vec4f(n, viewDepth(in.place));
  if (material.flags.x > 0.5) {
    out.beauty = vec4f(base.rgb * alpha, alpha);
    return out;
  }
  let facing = max(-dot(n, ray), 0.01);
  let metal = clamp(material.emissive.w * rough.b, 0.0, 1.0);
  let roughness = clamp(material.shape.x * rough.g, 0.0, 1.0);
  let f0 = mix(vec3f(0.04), base.rgb, metal);
  let q = vec4f(1.0 - roughness, 0.0425 - 0.0275 * roughness, 1.04 - 0.572 * roughness, 0.022 * roughness - 0.04);
  let a4 = min(q.x * q.x, exp(-6.4324 * facing)) * q.x + q.y;
  var specular = mirrored(ray + 2.0 * facing * n, roughness) * (f0 * (q.z - 1.04 * a4) + q.w + 1.04 * a4);
  var diffuse = max(vec3f(0.0), rgb(0u) + rgb(1u) * n.y + rgb(2u) * n.z + rgb(3u) * n.x + rgb(4u) * n.x * n.y + rgb(5u) * n.y * n.z
    + rgb(6u) * (3.0 * n.z * n.z - 1.0) + rgb(7u) * n.x * n.z + rgb(8u) * (n.x * n.x - n.y * n.y));
  let a = roughness * roughness;
  let a2 = max(a * a, 0.0001);
  for (var i = 0u; i < u32(view.lights); i++) {
    let o = 12u * i;
    var l = vec3f(lights[o + 3u], lights[o + 4u], lights[o + 5u]);
    var power = 1.0;
    if (lights[o + 11u] < 1.5) {
      let to = vec3f(lights[o], lights[o + 1u], lights[o + 2u]) - in.place;
      let d2 = max(dot(to, to), 1e-8);
      let axis = l;
      l = to * inverseSqrt(d2);
      power = 1.0 / d2;
      if (lights[o + 11u] > 0.5) {
        let inside = clamp(dot(l, axis) * lights[o + 9u] + lights[o + 10u], 0.0, 1.0);
        power *= inside * inside;
      }
    }
    let cosine = dot(n, l);
    if (cosine <= 0.0) { continue; }
    let e = vec3f(lights[o + 6u], lights[o + 7u], lights[o + 8u]) * power * cosine;
    let h = normalize(l - ray);
    let nh = dot(n, h);
    let lobe = nh * nh * (a2 - 1.0) + 1.0;
    let visibility = 0.5 / (cosine * (facing * (1.0 - a) + a) + facing * (cosine * (1.0 - a) + a));
    let graze = 1.0 - max(dot(l, h), 0.0);
    let fresnel = f0 + (1.0 - f0) * (graze * graze) * (graze * graze) * graze;
    specular += e * a2 * 0.31830989 / (lobe * lobe) * visibility * fresnel;
    diffuse += e * 0.31830989;
  }
  let light = diffuse * base.rgb * (1.0 - metal) * (1.0 - through) + specular + material.emissive.rgb * glow;
  out.beauty = vec4f(light * alpha, alpha * (1.0 - through));
  return out;
}

@vertex fn everywhere(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
  // Behind all else: reversed depth 0.
  return vec4f(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}
@fragment fn background(@builtin(position) at: vec4f) -> Pixel {
  let p = vec2f(at.x - view.middle.x, view.middle.y - at.y) * view.pixelSize * (1.0 - view.orthographic);
  let d = normalize(view.right.xyz * p.x + view.up.xyz * p.y - view.back.xyz);
  var out: Pixel;
  if (view.environment > 0.5) { out.beauty = vec4f(sharpAt(directionUv(d)), 1.0); }
  out.normalDepth = vec4f(0.0, 0.0, 0.0, -1.0);
  return out;
}
`;
