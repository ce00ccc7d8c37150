#!/bin/bash
# Puts the GPU benchmark with all that it needs, but Node, Dawn and a Vulkan driver, into a folder (default .carry/gpu).
# There: FRAMEWRIGHT_DAWN=/path/to/dawn.node node FOLDER/bench.mjs "$OUT" > "$OUT/gpu.json"
set -e
cd "$(dirname "$0")/../../.."
to=${1:-.carry/gpu}
mkdir -p "$to"
to=$(realpath "$to")
node renderer/pathtracer/wasm/build.js "$to/tracer.wasm"
node renderer/pathtracer/wgsl/build.js "$to/tracer.wgsl"
cp test/bench/gpu/rays.wgsl "$to/"
npx esbuild test/bench/gpu/carried.ts --bundle --platform=node --format=esm --target=node20 --external:webgpu \
  --external:sharp --outfile="$to/bench.mjs" --log-level=warning
ls -l "$to"
