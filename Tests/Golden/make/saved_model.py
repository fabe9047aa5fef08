"""Proves that `save model` writes what diffusers and transformers load, and that they compute the same with it.

    python saved_model.py NOISEBOOK [--folder DIR]

Trains a tiny model in the language, saves it in float32 and float16, opens both with StableDiffusionPipeline and CLIPModel, and compares
noise predictions, decoded pictures, encoder states and tokens with the language's own. Prints the largest differences.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPModel, CLIPTokenizer

p = argparse.ArgumentParser()
p.add_argument("noisebook")
p.add_argument("--folder")
a = p.parse_args()
torch.set_grad_enabled(False)
root = pathlib.Path(a.folder or tempfile.mkdtemp())
(root / "program.noise").write_text("""
t = dataset monsters split=train | first 24
words = new tokenizer size=700 length=77 | fit tokenizer on=t
clip = new clip tokenizer=words hidden=32 layers=2 heads=2 patch=8 | fit clip on=t batch=24 steps=5
vae = new vae channels=16,32 | fit vae on=t batch=8 steps=5
unet = new unet channels=32,64 context=32 sample=16 heads=4 layers=1
model = new model unet=unet vae=vae clip=clip scheduler=ddim | fit unet on=t batch=8 steps=5
save model out/whole
save model out/half precision=float16
four = t | first 4
four | select text | save out/captions.json
four | encode text | select embedding | save out/states.safetensors
x = four | encode image | noise 5 of=10
x | select latent | save out/latent.safetensors
x | predict at=500 | select eps.text eps.empty | save out/eps.safetensors
x | decode | select generated | save out/pictures
""")
subprocess.run([a.noisebook, "run", "program.noise"], cwd=root, check=True)
captions = [row["text"] for row in json.loads((root / "out/captions.json").read_text())]


def compare(name, found, expected, bound):
    error = float((found - expected).abs().max())
    print(f"{name}: largest difference {error:.2e}, values up to {float(expected.abs().max()):.3g}")
    assert error <= bound, name


# Float32 agrees to rounding; half precision keeps eleven bits of each weight.
for folder, bound in (("whole", 2e-5), ("half", 1e-2)):
    pipe = StableDiffusionPipeline.from_pretrained(root / "out" / folder, safety_checker=None)
    clip = CLIPModel.from_pretrained(root / "out" / folder / "clip").float()
    for part in (pipe.unet, pipe.vae, pipe.text_encoder):
        part.float()
    beside = CLIPTokenizer.from_pretrained(root / "out" / folder / "clip")
    tokens = dict(padding="max_length", truncation=True, max_length=77, return_tensors="pt")
    ids = pipe.tokenizer(captions, **tokens).input_ids
    assert ids.equal(beside(captions, **tokens).input_ids)
    states = pipe.text_encoder(ids).last_hidden_state
    compare(f"{folder}: encoder states", load_file(root / "out/states.safetensors")["embedding"], states, bound)
    assert (clip.text_model(ids).last_hidden_state - states).abs().max() <= bound
    latent = load_file(root / "out/latent.safetensors")["latent"]
    eps = load_file(root / "out/eps.safetensors")
    compare(f"{folder}: noise with the caption", eps["eps.text"], pipe.unet(latent, 500, states).sample, bound)
    empty = pipe.text_encoder(pipe.tokenizer([""] * 4, **tokens).input_ids).last_hidden_state
    compare(f"{folder}: noise without", eps["eps.empty"], pipe.unet(latent, 500, empty).sample, bound)
    decoded = (pipe.vae.decode(latent / pipe.vae.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1)
    files = sorted((root / "out/pictures").glob("*.png"))
    pictures = torch.stack([torch.tensor(np.asarray(Image.open(f))).permute(2, 0, 1) / 255 for f in files])
    compare(f"{folder}: pictures", pictures, decoded, 0.51 / 255 + bound)
print("the saved folders load and agree")
