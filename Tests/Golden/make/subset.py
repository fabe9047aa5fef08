"""Copy a part of a whole golden folder, a case of every kind, for the repository (at most 12 MB).

    python subset.py WHOLE OUT

Files are copied as they are; lists of cases and files that hold many arrays are cut down to what is kept.
"""
import json
import pathlib
import shutil
import sys

from safetensors import safe_open
from safetensors.numpy import save_file

MODELS = ["pipeline", "clip_model_quickgelu", "clip_text_legacy_quickgelu", "clip_model_quickgelu_sharded", "clip_text_projection",
          "unet_2level_fp16", "vae_f4"]
CASES = {"vae_f4": ["c1"], "clip_text_projection": ["c0"], "clip_model_quickgelu": ["c0"]}  # elsewhere all
SCHEDULERS = ["pndm_plms__sd__epsilon", "pndm_prk__sd__v_prediction", "ddim__linear__v_prediction", "ddim_eta1__sd__epsilon", "ddpm__sd__epsilon",
              "dpmpp_2m_karras__sd__v_prediction", "euler__linear__epsilon", "euler_a__sd__epsilon",
              "heun__sd__epsilon", "lcm__sd__epsilon"]
RUNS = ["img2img_pndm70_60", "txt2img_pndm10_g7.5_s0"]
RESIZES = ["f32.input", "f32.bicubic.16x16", "f32.bicubic_noaa.53x20", "f32.bilinear.7x5",
           "gray8.bicubic.20x20"]
KINDS_RESIZED = ["rgb8.{}.16x16", "rgba8.{}.16x16"]
PREPROCESSED = ["palette8_trns"]
INCEPTION_PICTURES = 2


def copy(whole, out, *names):
    for name in names:
        source = whole / name
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, out / name, dirs_exist_ok=True)
        else:
            shutil.copy(source, out / name)


def cut(source, target, keep):
    with safe_open(source, "np") as f:
        arrays = {k: f.get_tensor(k) for k in f.keys() if keep(k)}
    assert arrays, f"nothing kept of {source}"
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(arrays, target)


def main():
    whole, out = map(pathlib.Path, sys.argv[1:3])
    shutil.rmtree(out / "models", ignore_errors=True)
    shutil.rmtree(out / "pipeline", ignore_errors=True)
    shutil.rmtree(out / "schedulers", ignore_errors=True)
    copy(whole, out, "versions.json", "tokenizer", "added_tokens", "sizes", "rng", "retrieval", "images/png", "images/corrupt", "images/corrupt.json",
         "images/decode.json", "images/decode.safetensors", *[f"models/{m}" for m in MODELS])
    for model, cases in CASES.items():
        described = json.load(open(whole / f"models/{model}/cases.json"))
        described["cases"] = {k: v for k, v in described["cases"].items() if k in cases}
        json.dump(described, open(out / f"models/{model}/cases.json", "w"), indent=1)
        cut(whole / f"models/{model}/io.safetensors", out / f"models/{model}/io.safetensors", lambda k: k.split(".")[0] in cases)
    for case in SCHEDULERS:
        copy(whole, out, f"schedulers/{case}.json", f"schedulers/{case}.safetensors")
    index = json.load(open(whole / "schedulers/index.json"))
    json.dump([c for c in index if c["case"] in SCHEDULERS], open(out / "schedulers/index.json", "w"), indent=1)

    runs = json.load(open(whole / "pipeline/runs.json"))
    runs["runs"] = [r for r in runs["runs"] if r["name"] in RUNS]
    copy(whole, out, "pipeline/" + runs["init_image"])
    for r in runs["runs"]:
        copy(whole, out, f"pipeline/{r['name']}.safetensors", *[f"pipeline/{p}" for p in r["png"]])
    json.dump(runs, open(out / "pipeline/runs.json", "w"), indent=1)

    copy(whole, out, *[f"metrics/{name}.json" for name in ("frechet", "kid", "clip_score", "inception_keys")])
    cut(whole / "metrics/frechet.safetensors", out / "metrics/frechet.safetensors", lambda k: "d2048" not in k)
    scores = json.load(open(whole / "metrics/clip_score.json"))
    scores["cases"] = [c for c in scores["cases"] if c["model"] in MODELS and c["case"] in CASES.get(c["model"], [c["case"]])]
    json.dump(scores, open(out / "metrics/clip_score.json", "w"), indent=1)
    inception = json.load(open(whole / "metrics/inception.json"))
    inception["images"] = inception["images"][:INCEPTION_PICTURES]
    copy(whole, out, *[f"metrics/{picture['png']}" for picture in inception["images"]])
    json.dump(inception, open(out / "metrics/inception.json", "w"), indent=1)
    cut(whole / "metrics/inception.safetensors", out / "metrics/inception.safetensors", lambda k: int(k[3:k.index(".")]) < INCEPTION_PICTURES)

    filters = ["nearest", "bilinear", "bicubic", "lanczos"]
    wanted = set(RESIZES) | {k.format(f) for k in KINDS_RESIZED for f in filters}
    cut(whole / "images/resize.safetensors", out / "images/resize.safetensors", lambda k: k in wanted)
    pre = json.load(open(whole / "images/preprocess.json"))
    for part in ("clip", "vae"):
        pre[part] = [c for c in pre[part] if c["key"].split(".")[1] in PREPROCESSED]
    kept = {c["key"] for part in ("clip", "vae") for c in pre[part]}
    json.dump(pre, open(out / "images/preprocess.json", "w"), indent=1)
    cut(whole / "images/preprocess.safetensors", out / "images/preprocess.safetensors", lambda k: k in kept or k.startswith("postprocess."))


main()
