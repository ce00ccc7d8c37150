"""Opens OpenEXR files in Blender's compositor and writes down what it sees, one multi-layer file of floats for each.

The argument is a JSON file: a list of {"path", "width", "height", "out", "mattes": {layer: [name, ...]}}. Beside every pass of the
image node the written file holds `matte_LAYER_INDEX`, Blender's own matte of a name by its Cryptomatte node.
"""

import json
import sys

import bpy

scene = bpy.context.scene
scene.use_nodes = True
scene.render.resolution_percentage = 100
scene.render.compositor_precision = "FULL"
scene.render.use_sequencer = False
for thing in list(scene.objects):
    bpy.data.objects.remove(thing)
nodes, links = scene.node_tree.nodes, scene.node_tree.links

with open(sys.argv[1], encoding="utf-8") as jobs:
    files = json.load(jobs)
for file in files:
    nodes.clear()
    picture = bpy.data.images.load(file["path"])
    shown = nodes.new("CompositorNodeImage")
    shown.image = picture
    # The node is what makes Blender open the file.
    if picture.type != "MULTILAYER":
        raise SystemExit(f"{file['path']}: Blender takes it for {picture.type}, not for MULTILAYER")
    out = nodes.new("CompositorNodeOutputFile")
    out.base_path = file["out"]
    out.format.file_format = "OPEN_EXR_MULTILAYER"
    out.format.color_depth = "32"
    out.format.exr_codec = "NONE"
    out.layer_slots.clear()

    def keep(name, socket):
        out.layer_slots.new(name)
        links.new(socket, out.inputs[-1])

    for socket in shown.outputs:
        keep(socket.name, socket)
    for layer, names in file["mattes"].items():
        for index, name in enumerate(names):
            matte = nodes.new("CompositorNodeCryptomatteV2")
            matte.source = "IMAGE"
            matte.image = picture
            matte.layer_name = layer
            matte.matte_id = name
            keep(f"matte_{layer}_{index}", matte.outputs["Matte"])
    scene.render.resolution_x = file["width"]
    scene.render.resolution_y = file["height"]
    bpy.ops.render.render()
print("version", bpy.app.version_string)
