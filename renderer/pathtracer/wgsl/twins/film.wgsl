// The kernel: one thread a pixel, which follows the paths of its samples one after the other and adds them to the film.
// Light is summed as 64-bit integers in quanta of 2^-24, as on the CPU, so that sums do not depend on how samples are cut.
struct Dispatch {
  scene: u32,
  job: u32,
  first_sample: u32,
  samples: u32,
  /// Picture coordinates of the part of the tile that this dispatch traces, and its size.
  x0: u32,
  y0: u32,
  width: u32,
  rows: u32,
  /// Index in the film of the dispatch's first pixel, and how many pixels the film has.
  first_pixel: u32,
  pixels: u32,
}

@group(0) @binding(2) var<storage, read_write> film: array<u32>;
@group(0) @binding(3) var<uniform> dispatch: Dispatch;
/// Rays cast, then whether a stack was too small.
@group(0) @binding(4) var<storage, read_write> counters: array<atomic<u32>, 2>;

/// Words that one pixel's sums take: ten channels of two.
const SUMS = 20u;

/// |value| in quanta, low word first; nothing for what is no number.
@must_use fn quanta(value: f32) -> vec2<u32> {
  let scaled = min(abs(value) * 16777216.0f, 4.6116860e18f);
  if (!(scaled > 0.0f)) {
    return vec2<u32>(0u);
  }
  let high = floor(scaled * 2.3283064365386963e-10f);
  let low = scaled - high * 4294967296.0f;
  return vec2<u32>(u32(round(low)), u32(high));
}

fn add_quanta(at: u32, amount: vec2<u32>) {
  let low = film[at] + amount.x;
  film[at] = low;
  film[at + 1u] += amount.y + select(0u, 1u, low < amount.x);
}

/// Adds light: never less than nothing, and full at 2^62 quanta.
fn add_light(at: u32, value: f32) {
  if (value > 0.0f) {
    add_quanta(at, quanta(value));
    if (film[at + 1u] >= 0x40000000u) {
      film[at] = 0u;
      film[at + 1u] = 0x40000000u;
    }
  }
}

fn add_signed(at: u32, value: f32) {
  var amount = quanta(value);
  if (value < 0.0f) {
    amount = vec2<u32>(~amount.x + 1u, ~amount.y + select(0u, 1u, amount.x == 0u));
  }
  add_quanta(at, amount);
}

fn add_sample(pixel: u32) {
  let at = pixel * SUMS;
  for (var i = 0u; i < 4u; i++) {
    add_light(at + 2u * i, integrator_radiance[i]);
  }
  for (var i = 0u; i < 3u; i++) {
    add_light(at + 8u + 2u * i, integrator_albedo[i]);
    add_signed(at + 14u + 2u * i, integrator_firstNormal[i]);
  }
  let depth_at = dispatch.pixels * SUMS + pixel;
  film[depth_at] = min(film[depth_at], bitcast<u32>(integrator_depth));
}

/// Sets the modules up, as index.ts does.
fn prepare(scene: u32, job: u32) {
  set_traversal(scene);
  texture_setSrgbTable(load_u32(scene + u32(layout_SCENE_SRGB_TABLE)));
  energy_setEnergyTables(scene);
  sheen_setSheenScene(scene);
  environment_setEnvironment(scene);
  lights_setLights(scene);
  camera_setCamera(scene, job);
  integrator_setIntegrator(load_i32(job + u32(layout_JOB_MAX_DEPTH)), load_i32(scene + u32(layout_SCENE_STRATEGY)));
}

@compute @workgroup_size(8, 4) fn trace_paths(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= dispatch.width || id.y >= dispatch.rows) {
    return;
  }
  prepare(dispatch.scene, dispatch.job);
  let x = dispatch.x0 + id.x;
  let y = dispatch.y0 + id.y;
  let pixel = dispatch.first_pixel + id.y * dispatch.width + id.x;
  sampler_startPixel(load_u32(dispatch.job + u32(layout_JOB_SEED)), load_u32(dispatch.job + u32(layout_JOB_FRAME)), x, y);
  let end = dispatch.first_sample + dispatch.samples;
  for (var sample = dispatch.first_sample; sample < end; sample++) {
    integrator_tracePath(i32(x), i32(y), sample);
    add_sample(pixel);
  }
  atomicAdd(&counters[0], rays_cast);
  if (stack_overflow) {
    atomicStore(&counters[1], 1u);
  }
}
