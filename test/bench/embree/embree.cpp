// The benchmark's other side: a diffuse path tracer over Embree 3 (rtcIntersect1 and rtcOccluded1), one ray at a time.
//
//   embree SCENE WIDTH HEIGHT THREADS
//   SAMPLES            (a line on standard input)  ->  SECONDS RAYS MEAN
//
// Same camera, pixel filter, random numbers, paths and light as ours: Lambert under a constant environment, next-event estimation
// with the power heuristic, roulette from the second scattering on. SCENE is what run.ts writes: counts, camera, albedo and depth,
// then positions, normals and indices.
#include <embree3/rtcore.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <thread>
#include <vector>

namespace {

struct Vec {
  float x, y, z;
};
Vec operator+(Vec a, Vec b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
Vec operator*(Vec a, float s) { return {a.x * s, a.y * s, a.z * s}; }
float dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
Vec normalize(Vec a) { return a * (1.0f / std::sqrt(dot(a, a))); }

// Owen-scrambled Sobol' pairs, hash for hash those of assembly/sampler.ts (Burley 2020).
uint32_t hash(uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  return h ^ (h >> 16);
}
uint32_t combine(uint32_t h, uint32_t value) { return hash(h ^ (value + 0x9e3779b9u + (h << 6) + (h >> 2))); }
uint32_t reverse(uint32_t v) {
  v = ((v >> 1) & 0x55555555u) | ((v & 0x55555555u) << 1);
  v = ((v >> 2) & 0x33333333u) | ((v & 0x33333333u) << 2);
  v = ((v >> 4) & 0x0f0f0f0fu) | ((v & 0x0f0f0f0fu) << 4);
  return __builtin_bswap32(v);
}
uint32_t laineKarras(uint32_t v, uint32_t seed) {
  v ^= v * 0x3d20adeau;
  v += seed;
  v *= (seed >> 16) | 1u;
  v ^= v * 0x05526c56u;
  return v ^ (v * 0x53a22864u);
}
struct Four {
  float v[4];
};
Four sample4(uint32_t pixelKey, uint32_t sampleIndex, uint32_t block) {
  const uint32_t salts[4] = {0x243f6a88u, 0x13198a2eu, 0x45f306dcu, 0x082efa98u};
  uint32_t seeds[4];
  for (int i = 0; i < 4; i++) seeds[i] = hash(pixelKey + block * 0x9e3779b9u + salts[i]);
  Four out;
  const uint32_t reversed = reverse(sampleIndex);
  for (int pair = 0; pair < 2; pair++) {
    const uint32_t index = reverse(laineKarras(reversed, seeds[2 * pair] * 0x2c1b3c6du));
    uint32_t second = index;
    second ^= (second >> 1) & 0x55555555u;
    second ^= (second >> 2) & 0x33333333u;
    second ^= (second >> 4) & 0x0f0f0f0fu;
    second ^= (second >> 8) & 0x00ff00ffu;
    second ^= (second >> 16) & 0x0000ffffu;
    out.v[2 * pair] = float(reverse(laineKarras(index, seeds[2 * pair])) >> 8) * 5.9604645e-8f;
    out.v[2 * pair + 1] = float(reverse(laineKarras(second, seeds[2 * pair + 1])) >> 8) * 5.9604645e-8f;
  }
  return out;
}

struct Scene {
  uint32_t vertices, triangles, depth;
  float camera[16], tanHalf, albedo;
  std::vector<Vec> positions, normals;
  std::vector<uint32_t> indices;
  std::vector<float> filter;
  RTCScene rtc;
};

float filterOffset(const Scene& scene, float u) {
  const int cells = int(scene.filter.size()) - 1;
  const float at = u * float(cells);
  const int cell = std::min(int(at), cells - 1);
  return scene.filter[cell] + (scene.filter[cell + 1] - scene.filter[cell]) * (at - float(cell));
}

RTCRayHit rayOf(Vec origin, Vec direction) {
  RTCRayHit ray;
  ray.ray = {origin.x, origin.y, origin.z, 0, direction.x, direction.y, direction.z, 0,
             std::numeric_limits<float>::infinity(), 0xffffffffu, 0, 0};
  ray.hit.geomID = RTC_INVALID_GEOMETRY_ID;
  ray.hit.instID[0] = RTC_INVALID_GEOMETRY_ID;
  return ray;
}

constexpr float PI = 3.14159265f;
float power(float a, float b) {
  const float r = b / a;
  return 1.0f / (1.0f + r * r);
}

float tracePath(const Scene& scene, int px, int py, int width, int height, uint32_t key, uint32_t sample, uint64_t& rays) {
  const float* m = scene.camera;
  const Four film = sample4(key, sample, 0);
  const float pixel = 2.0f * scene.tanHalf / float(height);
  const float sx = (float(px) + 0.5f + filterOffset(scene, film.v[0]) - float(width) * 0.5f) * pixel;
  const float sy = (float(height) * 0.5f - float(py) - 0.5f - filterOffset(scene, film.v[1])) * pixel;
  Vec origin = {m[12], m[13], m[14]};
  Vec direction = normalize(Vec{m[0], m[1], m[2]} * sx + Vec{m[4], m[5], m[6]} * sy + Vec{m[8], m[9], m[10]} * -1.0f);
  float light = 0, throughput = 1, density = 0;
  for (uint32_t bounce = 0;; bounce++) {
    RTCRayHit ray = rayOf(origin, direction);
    RTCIntersectContext context;
    rtcInitIntersectContext(&context);
    rtcIntersect1(scene.rtc, &context, &ray);
    rays++;
    if (ray.hit.geomID == RTC_INVALID_GEOMETRY_ID) {
      light += throughput * (bounce == 0 ? 1.0f : power(density, 0.25f / PI));
      return light;
    }
    const uint32_t* corner = &scene.indices[3 * size_t(ray.hit.primID)];
    const float u = ray.hit.u, v = ray.hit.v;
    Vec normal = normalize(scene.normals[corner[0]] * (1 - u - v) + scene.normals[corner[1]] * u + scene.normals[corner[2]] * v);
    Vec geometric = normalize(Vec{ray.hit.Ng_x, ray.hit.Ng_y, ray.hit.Ng_z});
    if (dot(geometric, direction) > 0) {
      geometric = geometric * -1.0f;
      normal = normal * -1.0f;
    }
    if (dot(normal, direction) >= 0) normal = geometric;
    if (bounce >= scene.depth) return light;
    origin = origin + direction * ray.ray.tfar;
    const float largest = std::max({std::fabs(origin.x), std::fabs(origin.y), std::fabs(origin.z)});
    origin = origin + geometric * (3.8146973e-6f * (largest + 1.0f));

    const Four numbers = sample4(key, sample, 1 + 2 * bounce);
    const Four choices = sample4(key, sample, 2 + 2 * bounce);
    // Environment: uniform over the sphere.
    const float up = 1.0f - 2.0f * numbers.v[2], turn = 2.0f * PI * numbers.v[3], radius = std::sqrt(std::max(0.0f, 1.0f - up * up));
    const Vec towards = {radius * std::sin(turn), up, -radius * std::cos(turn)};
    const float cosine = dot(towards, normal);
    if (cosine > 0 && dot(towards, geometric) > 0) {
      RTCRayHit shadow = rayOf(origin, towards);
      RTCIntersectContext shadowContext;
      rtcInitIntersectContext(&shadowContext);
      rtcOccluded1(scene.rtc, &shadowContext, &shadow.ray);
      rays++;
      if (shadow.ray.tfar >= 0) {
        const float chosen = 0.25f / PI;
        light += throughput * scene.albedo * cosine / PI / chosen * power(chosen, cosine / PI);
      }
    }
    // Cosine-weighted bounce in a frame about the normal (Duff et al. 2017).
    const float sign = std::copysign(1.0f, normal.z), a = -1.0f / (sign + normal.z), b = normal.x * normal.y * a;
    const Vec s = {1.0f + sign * normal.x * normal.x * a, sign * b, -sign * normal.x};
    const Vec t = {b, sign + normal.y * normal.y * a, -normal.y};
    const float phi = 2.0f * PI * numbers.v[0], r = std::sqrt(numbers.v[1]), z = std::sqrt(std::max(0.0f, 1.0f - numbers.v[1]));
    direction = s * (r * std::cos(phi)) + t * (r * std::sin(phi)) + normal * z;
    if (dot(direction, geometric) <= 0) return light;
    density = z / PI;
    throughput *= scene.albedo;
    if (bounce >= 1 && throughput < 1.0f) {
      if (choices.v[1] >= throughput) return light;
      throughput = 1.0f;
    }
  }
}

template <class T>
void read(std::ifstream& file, T* to, size_t count) {
  file.read(reinterpret_cast<char*>(to), std::streamsize(count * sizeof(T)));
}

Scene load(const char* path) {
  Scene scene;
  std::ifstream file(path, std::ios::binary);
  uint32_t cells;
  read(file, &scene.vertices, 1);
  read(file, &scene.triangles, 1);
  read(file, &scene.depth, 1);
  read(file, &cells, 1);
  read(file, scene.camera, 16);
  read(file, &scene.tanHalf, 1);
  read(file, &scene.albedo, 1);
  scene.filter.resize(cells);
  scene.positions.resize(scene.vertices);
  scene.normals.resize(scene.vertices);
  scene.indices.resize(3 * size_t(scene.triangles));
  read(file, scene.filter.data(), cells);
  read(file, scene.positions.data(), scene.vertices);
  read(file, scene.normals.data(), scene.vertices);
  read(file, scene.indices.data(), scene.indices.size());
  if (!file) {
    std::fprintf(stderr, "%s is no scene of the benchmark\n", path);
    std::exit(2);
  }
  return scene;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "embree SCENE WIDTH HEIGHT THREADS\n");
    return 2;
  }
  Scene scene = load(argv[1]);
  const int width = std::atoi(argv[2]), height = std::atoi(argv[3]), threads = std::atoi(argv[4]);
  RTCDevice device = rtcNewDevice(nullptr);
  scene.rtc = rtcNewScene(device);
  RTCGeometry geometry = rtcNewGeometry(device, RTC_GEOMETRY_TYPE_TRIANGLE);
  void* vertices = rtcSetNewGeometryBuffer(geometry, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT3, sizeof(Vec), scene.vertices);
  std::copy(scene.positions.begin(), scene.positions.end(), static_cast<Vec*>(vertices));
  void* indices = rtcSetNewGeometryBuffer(geometry, RTC_BUFFER_TYPE_INDEX, 0, RTC_FORMAT_UINT3, 12, scene.triangles);
  std::copy(scene.indices.begin(), scene.indices.end(), static_cast<uint32_t*>(indices));
  rtcSetGeometryBuildQuality(geometry, RTC_BUILD_QUALITY_HIGH);
  rtcCommitGeometry(geometry);
  rtcAttachGeometry(scene.rtc, geometry);
  rtcReleaseGeometry(geometry);
  rtcSetSceneBuildQuality(scene.rtc, RTC_BUILD_QUALITY_HIGH);
  rtcCommitScene(scene.rtc);
  uint32_t samples;
  while (std::scanf("%u", &samples) == 1) {
    constexpr int TILE = 16;
    const int columns = (width + TILE - 1) / TILE, rows = (height + TILE - 1) / TILE;
    std::atomic<int> next{0};
    std::vector<uint64_t> rays(threads, 0);
    std::vector<double> sums(threads, 0);
    const auto begin = std::chrono::steady_clock::now();
    auto work = [&](int thread) {
      uint64_t cast = 0;
      double sum = 0;
      for (int tile; (tile = next.fetch_add(1)) < columns * rows;) {
        const int x0 = tile % columns * TILE, y0 = tile / columns * TILE;
        for (int y = y0; y < std::min(height, y0 + TILE); y++) {
          for (int x = x0; x < std::min(width, x0 + TILE); x++) {
            const uint32_t key = combine(combine(combine(hash(1), 1), uint32_t(x)), uint32_t(y));
            for (uint32_t s = 0; s < samples; s++) sum += tracePath(scene, x, y, width, height, key, s, cast);
          }
        }
      }
      rays[thread] = cast;
      sums[thread] = sum;
    };
    std::vector<std::thread> pool;
    for (int i = 0; i < threads; i++) pool.emplace_back(work, i);
    for (auto& thread : pool) thread.join();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    uint64_t total = 0;
    double sum = 0;
    for (int i = 0; i < threads; i++) {
      total += rays[i];
      sum += sums[i];
    }
    std::printf("%.6f %llu %.9f\n", seconds, static_cast<unsigned long long>(total), sum / (double(width) * height * samples));
    std::fflush(stdout);
  }
  rtcReleaseScene(scene.rtc);
  rtcReleaseDevice(device);
}
