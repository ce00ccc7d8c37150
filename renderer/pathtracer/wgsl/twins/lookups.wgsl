// Look-ups that the CPU makes with packed integers or with loads that are not aligned.
@must_use fn texture_texel(at: u32, srgb: bool) -> vec4<f32> {
  let rgba = (vec4<u32>(load_u32(at)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
  var texel = vec4<f32>(rgba) * 0.003921569f;
  if (srgb) {
    for (var i = 0u; i < 3u; i++) {
      texel[i] = load_f32(texture_srgbTable + (rgba[i] << 2u));
    }
  }
  return texel;
}

/// One texel at a time: materials look up some twenty textures, and each use of this function becomes a copy of it.
@must_use fn texture_sampleTexture(slot: u32, u: f32, v: f32) -> vec4<f32> {
  let flags = load_i32(slot + u32(layout_TEXTURE_FLAGS));
  let srgb = (flags & layout_TEXTURE_SRGB) != 0i;
  let nearest = (flags & layout_TEXTURE_NEAREST) != 0i;
  let wrap = vec2<i32>((flags >> u32(layout_TEXTURE_WRAP_S_SHIFT)) & 3i, (flags >> u32(layout_TEXTURE_WRAP_T_SHIFT)) & 3i);
  let size = vec2<i32>(load_i32(slot + u32(layout_TEXTURE_WIDTH)), load_i32(slot + u32(layout_TEXTURE_HEIGHT)));
  let pixels = load_u32(slot + u32(layout_TEXTURE_PIXELS));
  var cell = vec2<i32>();
  var share = vec2<f32>();
  for (var axis = 0u; axis < 2u; axis++) {
    let row = slot + u32(layout_TEXTURE_TRANSFORM) + 12u * axis;
    let s = texture_fold(load_f32(row) * u + load_f32(row + 4u) * v + load_f32(row + 8u), wrap[axis]) * f32(size[axis]);
    if (nearest) {
      cell[axis] = min(i32(s), size[axis] - 1i);
    } else {
      let low = floor(s - 0.5f);
      cell[axis] = i32(low);
      share[axis] = s - 0.5f - low;
    }
  }
  var color = vec4<f32>();
  for (var i = 0i; i < select(4i, 1i, nearest); i++) {
    let step = vec2<i32>(i & 1i, i >> 1u);
    let x = texture_edge(cell.x + step.x, size.x, wrap.x);
    let y = texture_edge(cell.y + step.y, size.y, wrap.y);
    let weights = select(1.0f - share, share, step == vec2<i32>(1i));
    color += texture_texel(pixels + (u32(y * size.x + x) << 2u), srgb) * (weights.x * weights.y);
  }
  return color;
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

/// Sine and cosine of 2 pi u: the polynomials of math.ts, chosen by the quarter.
@must_use fn math_sinCosTurns(u: f32) -> vec4<f32> {
  let q = round(u * 4.0f);
  let a = (u * 4.0f - q) * 1.57079633f;
  let a2 = a * a;
  let s = a * (1.0f + a2 * (-0.166666667f + a2 * (8.33333333e-3f + a2 * (-1.98412698e-4f + a2 * 2.75573192e-6f))));
  let c = 1.0f + a2 * (-0.5f + a2 * (4.16666667e-2f + a2 * (-1.38888889e-3f + a2 * 2.48015873e-5f)));
  let k = i32(q) & 3i;
  let sine = select(s, c, (k & 1i) != 0i);
  let cosine = select(c, s, (k & 1i) != 0i);
  return vec4<f32>(select(sine, -sine, (k & 2i) != 0i), select(cosine, -cosine, k == 1i || k == 2i), 0.0f, 0.0f);
}
