"""Opens OpenEXR files in Blender: writes what it takes them for into the JSON file that is named first."""

import json
import sys

import bpy

answers, *paths = sys.argv[1:]
found = {}
for path in paths:
    image = bpy.data.images.load(path)
    found[path] = {"size": list(image.size), "kind": image.type}
with open(answers, "w", encoding="utf-8") as out:
    json.dump(found, out)
