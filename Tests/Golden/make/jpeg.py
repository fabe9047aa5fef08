"""JPEG files of all kinds that people have, beside each as a PNG what Pillow makes of it: `ImageOps.exif_transpose`, then
`convert("RGB")`. Pillow 13.0.0 with libjpeg-turbo 3.2.0.

    python jpeg.py FOLDER
"""
import io
import os
import struct
import sys

import numpy as np
from PIL import Image, ImageOps

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
random = np.random.default_rng(24)


def picture(width, height, channels=3):
    """Smooth shapes, hard edges and noise."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    planes = [np.sin(7 * x + 3 * k) * np.cos(5 * y - k) for k in range(channels)]
    values = np.stack(planes, -1) * 90 + 128 + random.normal(0, 12, (height, width, channels))
    values[height // 3 : height // 2, width // 4 : width // 2] = 20 + 70 * np.arange(channels)
    return np.clip(values, 0, 255).astype(np.uint8)


def keep(name, data):
    with open(os.path.join(folder, name + ".jpg"), "wb") as file:
        file.write(data)
    image = Image.open(io.BytesIO(data))
    ImageOps.exif_transpose(image).convert("RGB").save(os.path.join(folder, name + ".png"))


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def exif(orientation, order="<", kind=3):
    head = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + {1: "Bxxx", 3: "Hxx", 4: "I"}[kind], orientation)
    return b"Exif\0\0" + head + struct.pack(order + "IH", 8, 1) + struct.pack(order + "HHI", 0x0112, kind, 1) + value + b"\0\0\0\0"


colour = Image.fromarray(picture(37, 29))
for sampling, name in enumerate(["444", "422", "420"]):
    keep("baseline-" + name, encoded(colour, quality=85, subsampling=sampling))
    keep("progressive-" + name, encoded(colour, quality=60, subsampling=sampling, progressive=True))
keep("rough", encoded(colour, quality=3))
keep("fine", encoded(colour, quality=100, subsampling=0))
keep("restarts", encoded(colour, quality=80, restart_marker_blocks=2))
keep("one-pixel", encoded(Image.fromarray(picture(1, 1))))
keep("line", encoded(Image.fromarray(picture(65, 1)), subsampling=2))
keep("grey", encoded(Image.fromarray(picture(33, 20, 1)[..., 0], "L")))
keep("grey-progressive", encoded(Image.fromarray(picture(33, 20, 1)[..., 0], "L"), progressive=True))
keep("cmyk", encoded(Image.fromarray(picture(24, 18, 4), "CMYK"), quality=90))
keep("cmyk-progressive", encoded(Image.fromarray(picture(24, 18, 4), "CMYK"), quality=90, progressive=True))
keep("rgb-stored", encoded(colour, quality=90, keep_rgb=True))
keep("profile", encoded(colour, quality=80, icc_profile=bytes(range(200))))
small = Image.fromarray(picture(11, 7))
for orientation in range(1, 9):
    keep(f"orientation-{orientation}", encoded(small, exif=exif(orientation)))
keep("orientation-6-big-endian", encoded(small, exif=exif(6, ">")))
keep("orientation-8-long", encoded(small, exif=exif(8, kind=4)))
keep("orientation-0", encoded(small, exif=exif(0)))
keep("orientation-9", encoded(small, exif=exif(9)))
# What follows the picture is not looked at.
keep("followed", encoded(colour, quality=85) + b"\0" * 50)
