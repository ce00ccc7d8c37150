// The sampler of sampler.ts, bit for bit: there as operations on packed integers, here on vectors of u32.
var<private> sampler_pixelKey: u32;
var<private> sampler_sampleIndex: u32;

@must_use fn sampler_hash(value: u32) -> u32 {
  var h = value;
  h ^= h >> 16u;
  h *= 0x85ebca6bu;
  h ^= h >> 13u;
  h *= 0xc2b2ae35u;
  return h ^ (h >> 16u);
}

@must_use fn sampler_combine(h: u32, value: u32) -> u32 {
  return sampler_hash(h ^ (value + 0x9e3779b9u + (h << 6u) + (h >> 2u)));
}

fn sampler_startPixel(seed: u32, frame: u32, px: u32, py: u32) {
  sampler_pixelKey = sampler_combine(sampler_combine(sampler_combine(sampler_hash(seed), frame), px), py);
}

fn sampler_startSample(index: u32) {
  sampler_sampleIndex = index;
}

@must_use fn sampler_keyedUniform(a: u32, b: u32) -> f32 {
  let key = sampler_combine(sampler_combine(sampler_combine(sampler_pixelKey, sampler_sampleIndex), a), b);
  return f32(key >> 8u) * 5.9604645e-8f;
}

@must_use fn laine_karras(value: vec4<u32>, seed: vec4<u32>) -> vec4<u32> {
  var v = value;
  v ^= v * 0x3d20adeau;
  v += seed;
  v *= (seed >> vec4<u32>(16u)) | vec4<u32>(1u);
  v ^= v * 0x05526c56u;
  return v ^ (v * 0x53a22864u);
}

@must_use fn butterfly(v: vec4<u32>, shift: u32, mask: u32) -> vec4<u32> {
  return v ^ ((v >> vec4<u32>(shift)) & vec4<u32>(mask));
}

@must_use fn sampler_sample4(block: u32) -> vec4<f32> {
  var seeds = vec4<u32>(sampler_pixelKey + block * 0x9e3779b9u) +
    vec4<u32>(0x243f6a88u, 0x13198a2eu, 0x45f306dcu, 0x082efa98u);
  seeds ^= seeds >> vec4<u32>(16u);
  seeds *= 0x85ebca6bu;
  seeds ^= seeds >> vec4<u32>(13u);
  seeds *= 0xc2b2ae35u;
  seeds ^= seeds >> vec4<u32>(16u);
  let index = reverseBits(laine_karras(reverseBits(vec4<u32>(sampler_sampleIndex)), seeds.xxzz * 0x2c1b3c6du));
  var second = butterfly(index, 1u, 0x55555555u);
  second = butterfly(second, 2u, 0x33333333u);
  second = butterfly(second, 4u, 0x0f0f0f0fu);
  second = butterfly(second, 8u, 0x00ff00ffu);
  second = butterfly(second, 16u, 0x0000ffffu);
  let points = vec4<u32>(index.x, second.y, index.z, second.w);
  let scrambled = reverseBits(laine_karras(points, seeds));
  return vec4<f32>(scrambled >> vec4<u32>(8u)) * 5.9604645e-8f;
}
