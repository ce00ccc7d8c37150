// The CPU tier's linear memory, as it is: byte addresses, little endian. The same bytes are bound twice, as words and as
// vectors of four floats, which must lie on multiples of 16.
@group(0) @binding(0) var<storage, read> memory_words: array<u32>;
@group(0) @binding(1) var<storage, read> memory_vectors: array<vec4<f32>>;

@must_use fn load_u32(at: u32) -> u32 {
  return memory_words[at >> 2u];
}

@must_use fn load_vec4(at: u32) -> vec4<f32> {
  return memory_vectors[at >> 4u];
}

@must_use fn load_vec4i(at: u32) -> vec4<i32> {
  return bitcast<vec4<i32>>(load_vec4(at));
}

@must_use fn load_i32(at: u32) -> i32 {
  return bitcast<i32>(load_u32(at));
}

@must_use fn load_f32(at: u32) -> f32 {
  return bitcast<f32>(load_u32(at));
}

@must_use fn load_u16(at: u32) -> u32 {
  return (load_u32(at) >> ((at & 2u) << 3u)) & 0xffffu;
}

@must_use fn load_u8(at: u32) -> u32 {
  return (load_u32(at) >> ((at & 3u) << 3u)) & 0xffu;
}
