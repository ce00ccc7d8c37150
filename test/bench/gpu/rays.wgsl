// Appended to the tracer's WGSL by the benchmark: rays alone, through the very traversal that pictures are traced with.
// `dispatch.first_sample` is 0 for rays of the camera and 1 for rays from anywhere in the scene to anywhere; `film` starts with
// the scene's bounds. Hits are counted so that no ray is cast in vain.
@compute @workgroup_size(8, 4) fn cast_rays(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= dispatch.width || id.y >= dispatch.rows) {
    return;
  }
  prepare(dispatch.scene, dispatch.job);
  sampler_startPixel(1u, 1u, id.x, id.y);
  let low = vec3<f32>(bitcast<f32>(film[0]), bitcast<f32>(film[1]), bitcast<f32>(film[2]));
  let high = vec3<f32>(bitcast<f32>(film[3]), bitcast<f32>(film[4]), bitcast<f32>(film[5]));
  var hits = 0u;
  for (var i = 0u; i < dispatch.samples; i++) {
    var origin: vec4<f32>;
    var direction: vec4<f32>;
    if (dispatch.first_sample == 0u) {
      integrator_startPath(i32(id.x), i32(id.y), i);
      origin = integrator_pathOrigin;
      direction = integrator_pathDirection;
    } else {
      sampler_startSample(i);
      let a = sampler_sample4(0u);
      let b = sampler_sample4(1u);
      origin = vec4<f32>(mix(low, high, vec3<f32>(a.x, a.y, a.z)), 0.0f);
      let z = 1.0f - 2.0f * b.x;
      let turn = math_sinCosTurns(b.y);
      direction = vec4<f32>(vec2<f32>(turn.y, turn.x) * sqrt(max(0.0f, 1.0f - z * z)), z, 0.0f);
    }
    if (traverse_intersect(origin, direction, 3.4028234663852886e+38f)) {
      hits++;
    }
  }
  atomicAdd(&counters[0], hits);
  if (stack_overflow) {
    atomicStore(&counters[1], 1u);
  }
}
