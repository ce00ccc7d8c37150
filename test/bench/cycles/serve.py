"""
Blender's Cycles on the CPU as a render server for the benchmark: one JSON line in, one out.

    python serve.py SETUP.json
    {"spp": 64, "seed": 1, "lightTree": false, "out": "picture.f32"}  ->  {"seconds": 3.21}

The picture is written as raw linear RGB floats, top row first. Everything that trades bias for noise is off: clamping, glossy
filter, adaptive sampling, denoising. The scene stays loaded, so that seconds are those of the render call alone.
"""
import json
import math
import os
import sys
import tempfile
import time

import bpy
import numpy as np
from mathutils import Matrix

# Blender talks on stdout; what the benchmark reads must be alone there.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

with open(sys.argv[1]) as file:
    setup = json.load(file)

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=setup["scene"])
scene = bpy.context.scene

# glTF is Y-up, Blender Z-up; cameras look down their -Z in both.
to_blender = Matrix(((1, 0, 0, 0), (0, 0, -1, 0), (0, 1, 0, 0), (0, 0, 0, 1)))
camera = bpy.data.objects.new("bench", bpy.data.cameras.new("bench"))
camera.matrix_world = to_blender @ Matrix(np.array(setup["camera"]).reshape(4, 4).T.tolist())
camera.data.sensor_fit = "VERTICAL"
camera.data.angle = setup["yfov"]
camera.data.clip_start = 0.001
scene.collection.objects.link(camera)
scene.camera = camera

world = bpy.data.worlds.new("bench")
scene.world = world
world.use_nodes = True
nodes, links = world.node_tree.nodes, world.node_tree.links
picture = nodes.new("ShaderNodeTexEnvironment")
picture.image = bpy.data.images.load(setup["environment"])
turn = nodes.new("ShaderNodeMapping")
# Ours has -Z (Blender's +Y) in the picture's middle, Blender has +X there.
turn.inputs["Rotation"].default_value = (0, 0, -math.pi / 2)
coordinates = nodes.new("ShaderNodeTexCoord")
links.new(coordinates.outputs["Generated"], turn.inputs["Vector"])
links.new(turn.outputs["Vector"], picture.inputs["Vector"])
links.new(picture.outputs["Color"], nodes["Background"].inputs["Color"])
world.cycles.sampling_method = "AUTOMATIC"

for material in bpy.data.materials:
    for node in material.node_tree.nodes if material.node_tree else []:
        if node.type == "BSDF_PRINCIPLED":
            node.distribution = "GGX"

render = scene.render
render.engine = "CYCLES"
render.resolution_x, render.resolution_y = setup["width"], setup["height"]
render.resolution_percentage = 100
render.threads_mode, render.threads = "FIXED", setup["threads"]
render.use_persistent_data = True
render.use_compositing = render.use_sequencer = False
render.image_settings.file_format = "OPEN_EXR"
render.image_settings.color_depth = "32"
render.image_settings.exr_codec = "NONE"
scene.view_settings.view_transform = "Raw"

cycles = scene.cycles
cycles.device = "CPU"
cycles.use_adaptive_sampling = False
cycles.use_denoising = False
cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0
cycles.blur_glossy = 0
cycles.caustics_reflective = cycles.caustics_refractive = True
cycles.max_bounces = setup["depth"]
cycles.diffuse_bounces = cycles.glossy_bounces = cycles.transmission_bounces = setup["depth"]
cycles.pixel_filter_type = "BLACKMAN_HARRIS"
# Ours is given by its radius.
cycles.filter_width = 2 * setup["filterRadius"]

with tempfile.TemporaryDirectory() as folder:
    for line in sys.stdin:
        order = json.loads(line)
        cycles.samples = order["spp"]
        cycles.seed = order["seed"]
        cycles.use_light_tree = order["lightTree"]
        begin = time.perf_counter()
        bpy.ops.render.render()
        seconds = time.perf_counter() - begin
        path = os.path.join(folder, "picture.exr")
        bpy.data.images["Render Result"].save_render(path)
        image = bpy.data.images.load(path)
        image.colorspace_settings.name = "Linear Rec.709"
        pixels = np.empty(setup["width"] * setup["height"] * 4, dtype=np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
        rgb = pixels.reshape(setup["height"], setup["width"], 4)[::-1, :, :3]
        np.ascontiguousarray(rgb).astype("<f4").tofile(order["out"])
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)
