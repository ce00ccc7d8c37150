// The kernel: one thread a pixel, which follows the paths of its samples one after the other and adds them to the film.
// Light is summed as 64-bit integers in quanta of 2^-24, as in film.ts, so that sums do not depend on how samples are cut.
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
  /// Index in the film of the dispatch's first pixel, and pixels from one row of the film to the next.
  first_pixel: u32,
  stride: u32,
  /// Summed channels a pixel: partial.ts has their order.
  channels: u32,
  /// Words in front of each part of the film: number of the nearest sample, its depth …
  nearest_at: u32,
  depth_at: u32,
  position_at: u32,
  motion_at: u32,
  uv_at: u32,
  objects_at: u32,
  materials_at: u32,
  /// Adaptive sampling: where the film says which blocks of pixels get samples (0: all do), blocks in a row, the tile's corner.
  blocks_at: u32,
  blocks_wide: u32,
  tile_x: u32,
  tile_y: u32,
}

@group(0) @binding(2) var<storage, read_write> film: array<u32>;
@group(0) @binding(3) var<uniform> dispatch: Dispatch;
/// Rays cast, then whether a stack was too small.
@group(0) @binding(4) var<storage, read_write> counters: array<atomic<u32>, 2>;

/// |value| in quanta, low word first; nothing for what is no number.
@must_use fn quanta(value: f32) -> vec2<u32> {
  let scaled = min(abs(value) * 16777216.0f, 2.3058430e18f);
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

/// Adds what is not negative; full at 2^61.
fn add_to(at: u32, amount: vec2<u32>) {
  add_quanta(at, amount);
  if (film[at + 1u] >= 0x20000000u) {
    film[at] = 0u;
    film[at + 1u] = 0x20000000u;
  }
}

/// Adds light: never less than nothing.
fn add_light(at: u32, value: f32) {
  if (value > 0.0f) {
    add_to(at, quanta(value));
  }
}

/// The whole product, low word first.
@must_use fn product(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let one = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (one & 0xffffu);
  return vec2<u32>((other << 16u) | (low & 0xffffu), (a >> 16u) * (b >> 16u) + (one >> 16u) + (other >> 16u));
}

/// Luminance and the square of its quanta, with no bit lost, as addStatistics of film.ts.
fn add_statistics(at: u32, light: vec4<f32>) {
  let brightness = vec_luminance(light);
  if (!(brightness > 0.0f)) {
    return;
  }
  var amount = quanta(brightness);
  if (amount.y >= 0x10000u) {
    amount = vec2<u32>(0u, 0x10000u);
  }
  let high = (amount.y << 10u) | (amount.x >> 22u);
  let low = amount.x & 0x3fffffu;
  let cross = product(high, low << 1u);
  let rest = cross.x & 0x3fffffu;
  add_to(at, amount);
  add_to(at + 2u, product(high, high));
  add_to(at + 2u, vec2<u32>((cross.y << 10u) | (cross.x >> 22u), cross.y >> 22u));
  add_to(at + 4u, vec2<u32>(rest << 22u, rest >> 10u));
  add_to(at + 4u, product(low, low));
}

fn add_signed(at: u32, value: f32) {
  var amount = quanta(value);
  if (value < 0.0f) {
    amount = vec2<u32>(~amount.x + 1u, ~amount.y + select(0u, 1u, amount.x == 0u));
  }
  add_quanta(at, amount);
}

@must_use fn has_layer(layers: u32, layer: i32) -> bool {
  return (layers & (1u << u32(layer))) != 0u;
}

/// Light by layer, in the order of the layers' numbers.
@must_use fn light_of(layer: u32) -> vec4<f32> {
  switch layer {
    case 1u: { return gathered_diffuseDirect; }
    case 2u: { return gathered_diffuseIndirect; }
    case 3u: { return gathered_specularDirect; }
    case 4u: { return gathered_specularIndirect; }
    case 5u: { return gathered_transmitted; }
    case 6u: { return gathered_emitted; }
    default: { return gathered_surroundings; }
  }
}

/// Adds the sample that the integrator has just finished.
fn add_sample(pixel: u32, sample: u32, layers: u32) {
  var at = pixel * dispatch.channels * 2u;
  let radiance = replace_lane3(gathered_radiance, integrator_coverage);
  for (var i = 0u; i < 4u; i++) {
    add_light(at + 2u * i, radiance[i]);
  }
  for (var i = 0u; i < 3u; i++) {
    add_light(at + 8u + 2u * i, integrator_albedo[i]);
    if (first_hit_firstInstance != 0u) {
      add_signed(at + 14u + 2u * i, first_hit_firstNormal[i]);
    }
  }
  at += 20u;
  if (has_layer(layers, layout_LAYER_VARIANCE)) {
    add_statistics(at, gathered_radiance);
    at += 6u;
  }
  if ((layers & u32(layout_LIGHT_LAYERS)) != 0u) {
    for (var layer = 1u; layer <= 7u; layer++) {
      if ((layers & (1u << layer)) != 0u) {
        let light = light_of(layer);
        for (var i = 0u; i < 3u; i++) {
          add_light(at + 2u * i, light[i]);
        }
        at += 6u;
      }
    }
  }
  if ((layers & u32(layout_LIGHT_VARIANCES)) != 0u) {
    for (var layer = 1u; layer <= 5u; layer++) {
      if ((layers & (1u << (layer - 1u + u32(layout_LAYER_DIFFUSE_DIRECT_VARIANCE)))) != 0u) {
        add_statistics(at, light_of(layer));
        at += 6u;
      }
    }
  }
  if (first_hit_firstInstance == 0u) {
    return;
  }
  if (first_hit_depth < bitcast<f32>(film[dispatch.depth_at + pixel])) {
    film[dispatch.depth_at + pixel] = bitcast<u32>(first_hit_depth);
    film[dispatch.nearest_at + pixel] = sample;
    if (has_layer(layers, layout_LAYER_POSITION)) {
      for (var i = 0u; i < 3u; i++) {
        film[dispatch.position_at + pixel * 3u + i] = bitcast<u32>(first_hit_firstPosition[i]);
      }
    }
    for (var i = 0u; i < 2u; i++) {
      if (has_layer(layers, layout_LAYER_MOTION)) {
        film[dispatch.motion_at + pixel * 2u + i] = bitcast<u32>(first_hit_firstMotion[i]);
      }
      if (has_layer(layers, layout_LAYER_UV)) {
        film[dispatch.uv_at + pixel * 2u + i] = bitcast<u32>(first_hit_firstUv[i]);
      }
    }
  }
  let names = u32(layout_CRYPTO_IDS) * 2u;
  if (has_layer(layers, layout_LAYER_CRYPTOMATTE_OBJECT)) {
    count_name(dispatch.objects_at + pixel * names, load_u32(first_hit_firstInstance + u32(layout_INSTANCE_NAME)));
  }
  if (has_layer(layers, layout_LAYER_CRYPTOMATTE_MATERIAL)) {
    count_name(dispatch.materials_at + pixel * names, load_u32(first_hit_firstMaterial + u32(layout_MATERIAL_NAME)));
  }
}

/// Counts a sample for a name; when the table is full, names that come new are left out.
fn count_name(table: u32, id: u32) {
  for (var i = 0u; i < u32(layout_CRYPTO_IDS); i++) {
    let at = table + 2u * i;
    if (film[at] == id || film[at] == 0u) {
      film[at] = id;
      film[at + 1u]++;
      return;
    }
  }
}

/// Sets the modules up, as index.ts does.
fn prepare(scene: u32, job: u32) {
  set_traversal(scene);
  texture_setSrgbTable(load_u32(scene + u32(layout_SCENE_SRGB_TABLE)));
  energy_setEnergyTables(scene);
  sheen_setSheenScene(scene);
  bsdf_setEnergyCompensation(load_u32(job + u32(layout_JOB_ENERGY_COMPENSATION)) != 0u);
  environment_setEnvironment(scene);
  lights_setLights(scene);
  camera_setCamera(scene, job);
  integrator_setIntegrator(scene, job);
}

/// Whether the pixel's block still gets samples.
@must_use fn is_open(x: u32, y: u32) -> bool {
  let side = u32(layout_BLOCK);
  let row = y / side - dispatch.tile_y / side;
  return film[dispatch.blocks_at + row * dispatch.blocks_wide + x / side - dispatch.tile_x / side] != 0u;
}

@compute @workgroup_size(8, 4) fn trace_paths(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= dispatch.width || id.y >= dispatch.rows) {
    return;
  }
  let x = dispatch.x0 + id.x;
  let y = dispatch.y0 + id.y;
  if (dispatch.blocks_at != 0u && !is_open(x, y)) {
    return;
  }
  prepare(dispatch.scene, dispatch.job);
  let layers = load_u32(dispatch.job + u32(layout_JOB_LAYERS));
  let pixel = dispatch.first_pixel + id.y * dispatch.stride + id.x;
  sampler_startPixel(load_u32(dispatch.job + u32(layout_JOB_SEED)), load_u32(dispatch.job + u32(layout_JOB_FRAME)), x, y);
  let end = dispatch.first_sample + dispatch.samples;
  var sample = dispatch.first_sample;
  var under_way = false;
  // One loop over steps, not one over samples with another inside: threads whose paths end early go on with their next sample.
  loop {
    if (!under_way) {
      if (sample == end) {
        break;
      }
      integrator_startPath(i32(x), i32(y), sample);
    }
    under_way = integrator_stepPath();
    if (!under_way) {
      add_sample(pixel, sample, layers);
      sample++;
    }
  }
  atomicAdd(&counters[0], rays_cast);
  if (stack_overflow) {
    atomicStore(&counters[1], 1u);
  }
}
