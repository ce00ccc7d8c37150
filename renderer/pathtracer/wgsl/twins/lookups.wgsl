// Look-ups that the CPU makes with packed integers or with loads that are not aligned.
@must_use fn texture_texel(at: u32, srgb: bool) -> vec4<f32> {
  let rgba = (vec4<u32>(load_u32(at)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
  let linear = vec4<f32>(rgba) * 0.003921569f;
  if (!srgb) {
    return linear;
  }
  let table = texture_srgbTable;
  return vec4<f32>(
    load_f32(table + (rgba.x << 2u)),
    load_f32(table + (rgba.y << 2u)),
    load_f32(table + (rgba.z << 2u)),
    linear.w,
  );
}

@must_use fn environment_texel(at: u32) -> vec4<f32> {
  let low = load_u32(at);
  let high = load_u32(at + 4u);
  let mantissas = vec4<f32>(vec4<u32>(low & 0xffffu, low >> 16u, high & 0xffffu, high >> 16u));
  return mantissas * bitcast<f32>((high >> 16u) << 23u);
}

@must_use fn vector3_at(at: u32) -> vec4<f32> {
  return vec4<f32>(load_f32(at), load_f32(at + 4u), load_f32(at + 8u), 0.0f);
}

@must_use fn attributes_interpolate3(base: u32, u: f32, v: f32) -> vec4<f32> {
  return attributes_blend(
    vector3_at(base + attributes_vertex0 * 12u),
    vector3_at(base + attributes_vertex1 * 12u),
    vector3_at(base + attributes_vertex2 * 12u),
    u,
    v,
  );
}
