// The twin of record.ts: one thread follows one path and writes down, step by step, what it does. It drives the very steps that
// the kernel takes and only reads what they leave.

/// Words in front of the records: how many steps the path took.
const RECORD_HEADER = 4u;

fn put_word(at: u32, offset: i32, value: u32) {
  film[at + u32(offset) / 4u] = value;
}

fn put_vector(at: u32, offset: i32, value: vec4<f32>) {
  for (var i = 0u; i < 4u; i++) {
    film[at + u32(offset) / 4u + i] = bitcast<u32>(value[i]);
  }
}

fn put_step(at: u32, bounce: i32, incoming: vec4<f32>, goes_on: bool) {
  let end = select(integrator_pathEnd, 0i, goes_on);
  put_vector(at, layout_record_RECORD_INCOMING, incoming);
  put_vector(at, layout_record_RECORD_FOUND, gathered_foundLight);
  put_vector(at, layout_record_RECORD_SAMPLED, gathered_sampledLight);
  put_vector(at, layout_record_RECORD_THROUGHPUT, integrator_pathThroughput);
  put_vector(at, layout_record_RECORD_RADIANCE, gathered_radiance);
  put_word(at, layout_record_RECORD_BOUNCE, bitcast<u32>(bounce));
  put_word(at, layout_record_RECORD_END, bitcast<u32>(end));
  put_word(at, layout_record_RECORD_INSTANCE, 0xffffffffu);
  if (end == integrator_END_ESCAPED) {
    return;
  }
  put_vector(at, layout_record_RECORD_POSITION, surface_position);
  put_vector(at, layout_record_RECORD_NORMAL, surface_normal);
  put_word(at, layout_record_RECORD_DISTANCE, bitcast<u32>(met_at));
  put_word(at, layout_record_RECORD_INSTANCE, load_u32(met_instance + u32(layout_INSTANCE_ID)));
  put_word(at, layout_record_RECORD_MATERIAL, surface_material);
  put_word(at, layout_record_RECORD_TRIANGLE, bitcast<u32>(surface_triangle));
  put_word(at, layout_record_RECORD_LIGHT, select(select(0u, 2u, lights_lightIsPunctual), 1u, lights_lightIsEnvironment));
  if (!goes_on) {
    return;
  }
  put_vector(at, layout_record_RECORD_DIRECTION, integrator_pathDirection);
  put_word(at, layout_record_RECORD_DENSITY, bitcast<u32>(integrator_pathDensity));
  put_word(at, layout_record_RECORD_KIND, bitcast<u32>(bsdf_sampledKind));
  put_word(at, layout_record_RECORD_DELTA, select(0u, 1u, integrator_pathDelta));
  put_word(at, layout_record_RECORD_THROUGH, select(0u, 1u, bsdf_sampledThrough));
}

/// The dispatch names the pixel (x0, y0), the sample (first_sample) and how many records the film has room for (samples).
@compute @workgroup_size(1) fn write_path() {
  let x = dispatch.x0;
  let y = dispatch.y0;
  prepare(dispatch.scene, dispatch.job);
  sampler_startPixel(load_u32(dispatch.job + u32(layout_JOB_SEED)), load_u32(dispatch.job + u32(layout_JOB_FRAME)), x, y);
  integrator_startPath(i32(x), i32(y), dispatch.first_sample);
  var steps = 0u;
  var goes_on = true;
  while (goes_on) {
    let incoming = integrator_pathDirection;
    let bounce = integrator_pathBounce;
    goes_on = integrator_stepPath();
    if (steps < dispatch.samples) {
      put_step(RECORD_HEADER + steps * u32(layout_record_RECORD_STRIDE) / 4u, bounce, incoming, goes_on);
    }
    steps++;
  }
  film[0] = steps;
  if (stack_overflow) {
    atomicStore(&counters[1], 1u);
  }
}
