// WebAssembly's operations that WGSL has under no name.
@must_use fn copysign_f32(magnitude: f32, sign: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(magnitude) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u));
}

@must_use fn pmin(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return select(a, b, b < a);
}

@must_use fn pmax(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  return select(a, b, a < b);
}

@must_use fn replace_lane0(v: vec4<f32>, s: f32) -> vec4<f32> {
  return vec4<f32>(s, v.yzw);
}

@must_use fn replace_lane1(v: vec4<f32>, s: f32) -> vec4<f32> {
  return vec4<f32>(v.x, s, v.zw);
}

@must_use fn replace_lane2(v: vec4<f32>, s: f32) -> vec4<f32> {
  return vec4<f32>(v.xy, s, v.w);
}

@must_use fn replace_lane3(v: vec4<f32>, s: f32) -> vec4<f32> {
  return vec4<f32>(v.xyz, s);
}

@must_use fn vec_laneOf(four: vec4<f32>, place: u32) -> f32 {
  return four[place];
}
