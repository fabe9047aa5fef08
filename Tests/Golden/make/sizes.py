"""Topic 8b: pictures brought to a square, as `dataset size=` does it.  sizes/sizes.json and sizes/sizes.safetensors.

Each case {name, width, height, side}: a picture of three channels, value (7 x + 13 y + 50 c + x y mod 31) mod 256, through transformers' own functions for
pictures (the shorter side to `side` by Pillow's bicubic, then the middle), as CLIPImageProcessor calls them: uint8 [side, side, 3].
"""
import json
import os

import numpy as np
import torch
import common as C

C.quiet()
from PIL import Image  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers.image_transforms import center_crop, get_resize_output_image_size, resize  # noqa: E402
from transformers.image_utils import ChannelDimension  # noqa: E402

LAST = ChannelDimension.LAST
CASES = [(56, 40, 32), (40, 56, 32), (57, 40, 40), (43, 40, 40), (40, 47, 40), (100, 75, 64), (75, 100, 33), (33, 7, 16), (9, 64, 9), (31, 31, 16), (13, 17, 40), (101, 99, 50),
         (64, 48, 48), (119, 53, 21), (3, 5, 7)]


def main():
    cx = C.Ctx("sizes")
    tensors, cases = {}, []
    for width, height, side in CASES:
        y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
        picture = ((7 * x + 13 * y + 50 * c + x * y % 31) % 256).astype(np.uint8)
        size = get_resize_output_image_size(picture, size=side, default_to_square=False, input_data_format=LAST)
        scaled = resize(picture, size=size, resample=Image.BICUBIC, data_format=LAST, input_data_format=LAST)
        out = center_crop(scaled, (side, side), data_format=LAST, input_data_format=LAST).astype(np.uint8)
        name = f"{width}x{height}_{side}"
        cases.append({"name": name, "width": width, "height": height, "side": side, "scaled": [int(size[1]), int(size[0])]})
        tensors[name] = torch.from_numpy(np.ascontiguousarray(out))
    save_file(tensors, os.path.join(cx.out, "sizes.safetensors"))
    json.dump({"cases": cases}, open(os.path.join(cx.out, "sizes.json"), "w"), indent=1)
    print("sizes", cases)


main()
