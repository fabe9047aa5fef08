"""Draw the same pictures with Noisebook and with diffusers, on CPU from the same model folder, and compare them.

    python compare_with_diffusers.py --noisebook .build/release/noisebook --model examples/models/monsters [--count 4] [--steps 70]

Same prompts, seeds (1 + item) and settings: from random noise, and from the picture of the nearest training caption with 60 of 70 steps
of noise (`start=diffusers`, the posterior drawn from the item's generator as StableDiffusionImg2ImgPipeline does).
Prints, per way to start, the largest difference of any sample of any picture, in levels of 255. Exit status 1 if one exceeds 1.
"""
import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

p = argparse.ArgumentParser()
p.add_argument("--noisebook", required=True)
p.add_argument("--model", required=True)
p.add_argument("--count", type=int, default=4)
p.add_argument("--steps", type=int, default=70)
p.add_argument("--left", type=int, default=60)
p.add_argument("--guidance", type=float, default=7.5)
a = p.parse_args()
torch.set_grad_enabled(False)

work = pathlib.Path(tempfile.mkdtemp())
program = f"""
model = load {pathlib.Path(a.model).resolve()}
train = dataset monsters split=train
test = dataset monsters split=test | first {a.count}
test | noise of={a.steps} seed=1 | denoise guidance={a.guidance} | decode | select text generated | save {work}/noise
near = test | retrieve train | encode near.image posterior=sample seed=1
near | noise {a.left} of={a.steps} seed=1 start=diffusers | denoise guidance={a.guidance} | decode | select text near.image generated | save {work}/near
"""
subprocess.run([a.noisebook, "-e", program, "--allow-write", str(work), "--allow-read", str(pathlib.Path(a.model).resolve())], check=True, stdout=subprocess.DEVNULL)


def picture(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def ours(folder, column):
    return [picture(f) for f in sorted((work / folder).glob(f"{column}-*.png"))]


def prompts(folder):
    return [row["text"] for row in csv.DictReader(open(work / folder / "table.csv"))]


def generator(item):
    return torch.Generator("cpu").manual_seed(1 + item)


quiet = dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
text = StableDiffusionPipeline.from_pretrained(a.model, **quiet)
text.set_progress_bar_config(disable=True)
size = text.unet.config.sample_size * text.vae_scale_factor
theirs = [np.asarray(text(t, num_inference_steps=a.steps, guidance_scale=a.guidance, height=size, width=size, generator=generator(i)).images[0]).astype(int)
          for i, t in enumerate(prompts("noise"))]
start = StableDiffusionImg2ImgPipeline(**text.components, requires_safety_checker=False)
start.set_progress_bar_config(disable=True)
nearest = [Image.open(f).convert("RGB") for f in sorted((work / "near").glob("near.image-*.png"))]
again = [np.asarray(start(t, image=n, strength=a.left / a.steps, num_inference_steps=a.steps, guidance_scale=a.guidance, generator=generator(i)).images[0]).astype(int)
         for i, (t, n) in enumerate(zip(prompts("near"), nearest))]

failed = False
for name, mine, other in (("from noise", ours("noise", "generated"), theirs), ("from the nearest picture", ours("near", "generated"), again)):
    assert len(mine) == len(other) == a.count, (len(mine), len(other))
    worst = [int(np.abs(m - o).max()) for m, o in zip(mine, other)]
    differing = sum(int((m != o).sum()) for m, o in zip(mine, other))
    total = sum(m.size for m in mine)
    print(f"{name}: {a.count} pictures, largest difference {max(worst)} of 255, {differing} of {total} samples differ")
    failed |= max(worst) > 1
sys.exit(failed)
