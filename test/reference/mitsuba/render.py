"""
Renders a folder written by `exportScene.ts` with Mitsuba 3 and writes the linear picture as raw RGB floats.

    python render.py FOLDER OUT.f32 --spp 256 [--depth 8] [--seed 1]

Conventions that differ, and what is done about them, stand at the function that does it.
"""
import argparse
import json
import math
import os
import sys

import numpy as np
import mitsuba as mi

mi.set_variant("llvm_ad_rgb")
import drjit as dr  # noqa: E402  (needs a variant)

sys.path.insert(0, os.path.dirname(__file__))
import gltf_bsdf  # noqa: E402,F401  (registers "gltf")

T = mi.ScalarTransform4f


class Unsupported(Exception):
    pass


def column_major(values):
    return np.array(values, dtype=np.float64).reshape(4, 4).T


def texture(folder, scene, ref, channels, factor, raw):
    """A texture times a factor. glTF's v points down and so do Mitsuba's bitmap rows, once v is flipped."""
    if ref is None:
        return factor
    if ref["texCoord"] != 0:
        raise Unsupported("second texture coordinates")
    pixels = mi.Bitmap(os.path.join(folder, scene["images"][ref["image"]]))
    # Values as stored: which of them are sRGB-encoded is glTF's to say, not the picture file's.
    pixels.set_srgb_gamma(False)
    pixels = pixels.convert(mi.Bitmap.PixelFormat.RGBA, mi.Struct.Type.Float32, srgb_gamma=False)
    data = np.array(pixels)
    if ref["srgb"]:
        rgb = data[..., :3]
        data = np.concatenate([np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), data[..., 3:]], -1)
    data = np.ascontiguousarray(data[..., channels] * np.array(factor, dtype=np.float32))
    a, b, tx, c, d, ty = ref["uvTransform"]
    to_uv = mi.ScalarTransform3f([[a, b, tx], [c, d, ty], [0, 0, 1]])
    wrap = {"repeat": "repeat", "clamp": "clamp", "mirror": "mirror"}[ref["wrapS"]]
    return {
        "type": "bitmap",
        "data": mi.TensorXf(data.astype(np.float32)),
        "raw": True,
        "to_uv": to_uv,
        "wrap_mode": wrap,
        "filter_type": "nearest" if ref["nearest"] else "bilinear",
    }


def scalar(value):
    """Textures of one channel; plain numbers stay numbers."""
    return value if isinstance(value, dict) else {"type": "uniform", "value": float(value)}


def colour(value):
    return value if isinstance(value, dict) else {"type": "rgb", "value": [float(v) for v in value]}


def bsdf_of(folder, scene, material):
    """Opaque surfaces and thick glass; anything else is refused, so that a comparison never silently leaves something out."""
    beyond = ["clearcoat", "iridescence", "anisotropyStrength", "dispersion", "diffuseTransmission"]
    used = [key for key in beyond if material.get(key, 0)]
    if any(material.get("sheenColor", [0, 0, 0])) or used:
        raise Unsupported(f"{material['name']}: {used or 'sheen'}")
    if material["transmission"] > 0:
        if material["transmission"] < 1 or material["thickness"] == 0 or material["transmissionTexture"]:
            raise Unsupported(f"{material['name']}: partial or thin transmission")
        glass = {"int_ior": material["ior"], "ext_ior": 1.0}
        alpha = material["roughness"] ** 2
        if alpha < 1e-3:
            return {"type": "dielectric", **glass}
        return {"type": "roughdielectric", "distribution": "ggx", "alpha": alpha, **glass}
    base = texture(folder, scene, material["baseColorTexture"], [0, 1, 2], material["baseColor"][:3], False)
    mr = material["metallicRoughnessTexture"]
    bsdf = {
        "type": "gltf",
        "base_color": colour(base),
        "roughness": scalar(texture(folder, scene, mr, [1], material["roughness"], True)),
        "metallic": scalar(texture(folder, scene, mr, [2], material["metallic"], True)),
        "ior": material["ior"],
    }
    if material["normalTexture"]:
        if material["normalScale"] != 1:
            raise Unsupported("normal scale")
        # Green points against v in glTF (whose v points down), along v in Mitsuba.
        normals = texture(folder, scene, material["normalTexture"], [0, 1, 2], [1, 1, 1], True)
        flipped = np.array(normals["data"])
        flipped[..., 1] = 1 - flipped[..., 1]
        normals["data"] = mi.TensorXf(flipped)
        bsdf = {"type": "normalmap", "normalmap": normals, "bsdf": bsdf}
    if material["doubleSided"]:
        bsdf = {"type": "twosided", "bsdf": bsdf}
    if material["alphaMode"] == "blend":
        raise Unsupported("alpha blending")
    if material["alphaMode"] == "mask":
        raise Unsupported("alpha mask")
    return bsdf


def load_raw(folder, name, dtype, columns):
    return np.fromfile(os.path.join(folder, name), dtype=dtype).reshape(-1, columns)


def shape_of(folder, scene, instance, index):
    """World-space mesh. Normals go through the inverse transpose; mirrored instances get their winding turned."""
    mesh = scene["meshes"][instance["mesh"]]
    matrix = column_major(instance["transform"])
    linear = matrix[:3, :3]
    positions = load_raw(folder, mesh["positions"], "<f4", 3) @ linear.T + matrix[:3, 3]
    normals = load_raw(folder, mesh["normals"], "<f4", 3) @ np.linalg.inv(linear)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    faces = load_raw(folder, mesh["indices"], "<u4", 3)
    if np.linalg.det(linear) < 0:
        faces = faces[:, [0, 2, 1]]
    material = scene["materials"][mesh["material"]]
    if mesh["colors"]:
        raise Unsupported("vertex colours")
    props = mi.Properties()
    props["bsdf"] = mi.load_dict(bsdf_of(folder, scene, material))
    emissive = material["emissive"]
    if any(emissive):
        radiance = texture(folder, scene, material["emissiveTexture"], [0, 1, 2], emissive, False)
        props["emitter"] = mi.load_dict({"type": "area", "radiance": colour(radiance)})
    has_uv = mesh["uv0"] is not None
    made = mi.Mesh(f"mesh{index}", len(positions), len(faces), has_vertex_normals=True, has_vertex_texcoords=has_uv, props=props)
    params = mi.traverse(made)
    params["vertex_positions"] = mi.Float(positions.astype(np.float32).ravel())
    params["vertex_normals"] = mi.Float(normals.astype(np.float32).ravel())
    if has_uv:
        uv = load_raw(folder, mesh["uv0"], "<f4", 2)
        params["vertex_texcoords"] = mi.Float(uv.astype(np.float32).ravel())
    params["faces"] = mi.UInt32(faces.astype(np.uint32).ravel())
    params.update()
    return made


def environment_of(folder, environment):
    """Ours has -Z in the picture's middle, Mitsuba's at its left edge: half a turn about +Y. One column more closes the seam."""
    data = load_raw(folder, environment["file"], "<f4", 3).reshape(environment["height"], environment["width"], 3)
    turn = T().rotate([0, 1, 0], 180 - math.degrees(environment["rotation"]))
    bitmap = mi.Bitmap(np.ascontiguousarray(data))
    return {"type": "envmap", "bitmap": bitmap, "scale": environment["intensity"], "to_world": turn}


def light_of(light):
    if light["kind"] == "point":
        return {"type": "point", "position": light["position"], "intensity": colour(light["intensity"])}
    if light["kind"] == "directional":
        return {"type": "directional", "direction": light["direction"], "irradiance": colour(light["intensity"])}
    raise Unsupported("spot lights: Mitsuba's fall off linearly in the angle, glTF's with the square of the cosine")


def sensor_of(scene):
    """Mitsuba's cameras look along +Z with +X to the left."""
    camera = scene["camera"]
    matrix = column_major(camera["transform"])
    matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
    matrix = matrix @ np.diag([-1.0, 1.0, -1.0, 1.0])
    film = {
        "type": "hdrfilm",
        "width": scene["width"],
        "height": scene["height"],
        "pixel_format": "rgb",
        "rfilter": {"type": "box"},
    }
    common = {"to_world": T(matrix), "film": film, "near_clip": 1e-3, "far_clip": 1e5}
    if camera["projection"]["kind"] != "perspective":
        raise Unsupported("orthographic camera")
    fov = math.degrees(camera["projection"]["yfov"])
    return {"type": "perspective", "fov": fov, "fov_axis": "y", **common}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--spp", type=int, default=64)
    parser.add_argument("--depth", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with open(os.path.join(arguments.folder, "scene.json")) as file:
        scene = json.load(file)
    built = {
        "type": "scene",
        # Ours counts scatterings, Mitsuba path vertices seen from the camera: one more.
        "integrator": {"type": "path", "max_depth": arguments.depth + 1, "rr_depth": 1000},
        "sensor": sensor_of(scene),
    }
    for index, instance in enumerate(scene["instances"]):
        built[f"shape{index}"] = shape_of(arguments.folder, scene, instance, index)
    for index, light in enumerate(scene["lights"]):
        built[f"light{index}"] = light_of(light)
    if scene["environment"]:
        built["environment"] = environment_of(arguments.folder, scene["environment"])
    loaded = mi.load_dict(built)
    total = None
    done = 0
    while done < arguments.spp:
        spp = min(64, arguments.spp - done)
        picture = np.array(mi.render(loaded, spp=spp, seed=arguments.seed * 1000 + done), dtype=np.float64)
        total = picture * spp if total is None else total + picture * spp
        done += spp
    (total / done).astype("<f4").tofile(arguments.out)


try:
    main()
except Unsupported as error:
    print(f"unsupported: {error}", file=sys.stderr)
    sys.exit(3)
