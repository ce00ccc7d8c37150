"""Reads OpenEXR files with OpenImageIO; writes beside each FILE.json (header) and FILE.f32 (planes in the order of channels)."""

import json
import sys

import numpy
import OpenImageIO as oiio


def plain(value):
    if isinstance(value, (tuple, list, numpy.ndarray)):
        return [float(one) for one in value]
    return value


for path in sys.argv[1:]:
    picture = oiio.ImageInput.open(path)
    if picture is None:
        raise SystemExit(f"{path}: {oiio.geterror()}")
    spec = picture.spec()
    pixels = picture.read_image(oiio.FLOAT)
    if pixels is None:
        raise SystemExit(f"{path}: {picture.geterror()}")
    picture.close()
    pixels = numpy.asarray(pixels, dtype="<f4").reshape(spec.height, spec.width, spec.nchannels)
    with open(path + ".f32", "wb") as out:
        for channel in range(spec.nchannels):
            out.write(numpy.ascontiguousarray(pixels[:, :, channel]).tobytes())
    header = {
        "width": spec.width,
        "height": spec.height,
        "channels": list(spec.channelnames),
        "attributes": {one.name: plain(one.value) for one in spec.extra_attribs},
    }
    with open(path + ".json", "w", encoding="utf-8") as out:
        json.dump(header, out)
print("version", oiio.VERSION_STRING)
