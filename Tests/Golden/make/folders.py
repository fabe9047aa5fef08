"""Topic: model folders as StableDiffusionPipeline reads them (models/pipeline with other configurations).

schedulers.json / schedulers.safetensors
  One case for each scheduler_config.json: `config` is the file, `scheduler` the class that takes it over by from_config (none: the folder's
  own), `exact` that the pipeline's corrections are undone, `steps` N; `latents` names the final latents in the safetensors file, or `error`
  says that the reference fails. Where another class takes over a file without clip_sample, it is told not to clip: see the note of `noise`.
sizes.json
  `version` and `sample_size` of unet/config.json, and the `size` that the pipeline makes of it.
texts.json / texts.safetensors
  encode_prompt with use_attention_mask, and pooled states of the same.
unets/NAME/
  UNets with only_cross_attention: weights, and io.safetensors with sample, timestep, context and out.
"""
import copy
import inspect
import json
import math
import os
import shutil
import sys
import tempfile

import torch
import common as C

C.quiet()
import diffusers  # noqa: E402
import diffusers.utils.torch_utils as TU  # noqa: E402
from diffusers import StableDiffusionPipeline, UNet2DConditionModel  # noqa: E402

OURS = ["PNDMScheduler", "DDIMScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "LCMScheduler"]
OTHERS = ["DEISMultistepScheduler", "UniPCMultistepScheduler", "LMSDiscreteScheduler", "DPMSolverSinglestepScheduler", "KDPM2DiscreteScheduler",
          "KDPM2AncestralDiscreteScheduler", "TCDScheduler", "DDIMParallelScheduler", "SASolverScheduler"]
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
PROMPT, SEED, GUIDANCE = "a photo of a cat", 3, 2.0


def draw_single_precision():
    """Every draw in float32, so that the float64 twin starts from the same numbers."""
    original = TU.randn_tensor

    def draw(shape, generator=None, device=None, dtype=None, layout=None):
        return original(shape, generator=generator, dtype=torch.float32).to(dtype or torch.float32)
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("diffusers") and "randn_tensor" in vars(module):
            module.randn_tensor = draw


def folder(base, place, scheduler=None, unet=None, text_encoder=None):
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(base, place)
    if scheduler is not None:
        C.write_json(os.path.join(place, "scheduler/scheduler_config.json"), scheduler)
        index = json.load(open(os.path.join(place, "model_index.json")))
        index["scheduler"] = ["diffusers", scheduler["_class_name"]]
        C.write_json(os.path.join(place, "model_index.json"), index)
    for part, more in (("unet", unet), ("text_encoder", text_encoder)):
        if more is not None:
            path = os.path.join(place, part, "config.json")
            config = {**json.load(open(path)), **more}
            C.write_json(path, {k: v for k, v in config.items() if v is not Ellipsis})
    return place


def scheduler_cases():
    def own(name, **keys):
        return {"_class_name": name, "_diffusers_version": "0.42.1", **keys}
    for name in OURS:
        for betas in ({}, SD):
            for offset in (None, 0, 1):
                for clip in (None, True, False):
                    keys = {**({} if offset is None else {"steps_offset": offset}), **({} if clip is None else {"clip_sample": clip})}
                    for steps in (4, 20):
                        yield own(name, **betas, **keys), None, False, steps
        for clip in (True, False):
            yield own(name, **SD, steps_offset=0, clip_sample=clip), None, True, 4
    for name in OURS + OTHERS:
        cls = getattr(diffusers, name)
        # -inf, the default of one key, is no JSON.
        full = {k: v for k, v in cls(**SD).config.items() if k != "_use_default_values" and v != -math.inf}
        for config in (own(name, **full), own(name, **SD)):
            for target in OURS:
                if target != name:
                    yield config, target, False, 4
    # What only some classes know, in the file of another.
    yield own("DEISMultistepScheduler", **SD, algorithm_type="deis", solver_type="logrho", final_sigmas_type="sigma_min"), "DPMSolverMultistepScheduler", False, 4
    yield own("UniPCMultistepScheduler", **SD, solver_type="bh1"), "DPMSolverMultistepScheduler", False, 4
    yield own("DDIMScheduler", **SD, steps_offset=1, clip_sample=False, thresholding=True, rescale_betas_zero_snr=False), "EulerDiscreteScheduler", False, 4
    yield own("PNDMScheduler", **SD, steps_offset=1, use_karras_sigmas=True), "DPMSolverMultistepScheduler", False, 4
    yield own("PNDMScheduler", **SD, steps_offset=1, rescale_betas_zero_snr=True, thresholding=True), None, False, 4
    for target in (None, "HeunDiscreteScheduler", "DPMSolverMultistepScheduler"):
        yield own("EulerDiscreteScheduler", **SD, use_karras_sigmas=True, sigma_min=0.1, sigma_max=10.0), target, False, 4
    for steps in (1, 2, 3, 4, 5, 8, 20):
        yield own("DPMSolverMultistepScheduler", beta_schedule="squaredcos_cap_v2", use_karras_sigmas=True, steps_offset=1, timestep_spacing="leading"), None, False, steps
        yield own("DPMSolverMultistepScheduler", beta_schedule="squaredcos_cap_v2", use_karras_sigmas=True, final_sigmas_type="sigma_min"), None, False, steps


class Runner:
    def __init__(self, base, place):
        self.base, self.place, self.found = base, place, {}
        self.parts = [StableDiffusionPipeline.from_pretrained(base, safety_checker=None).to(t).components for t in (torch.float32, torch.float64)]
        for parts in self.parts:
            C.steady(parts["unet"]), C.steady(parts["vae"])

    def scheduler(self, config, target, exact):
        """As a pipeline from that folder has it."""
        cls = getattr(diffusers, config["_class_name"])
        f = folder(self.base, self.place, scheduler=config)
        scheduler = cls.from_pretrained(f, subfolder="scheduler")
        if not exact:
            scheduler = StableDiffusionPipeline(**{**self.parts[0], "scheduler": scheduler}, requires_safety_checker=False).scheduler
        if target is None:
            return scheduler
        other = getattr(diffusers, target)
        keeps = "clip_sample" in inspect.signature(other.__init__).parameters and "clip_sample" not in config
        return other.from_config(scheduler.config, **({"clip_sample": False} if keeps else {}))

    def latents(self, config, target, exact, steps):
        """In float32 and float64; once for all files that come to the same scheduler."""
        scheduler = self.scheduler(config, target, exact)
        known = inspect.signature(type(scheduler).__init__).parameters
        key = json.dumps([type(scheduler).__name__, {k: v for k, v in scheduler.config.items() if k in known or k.startswith("sigma_")}, steps],
                         sort_keys=True, default=str)
        if key not in self.found:
            try:
                self.found[key] = self.run(scheduler, steps)
            except Exception as e:
                self.found[key] = e
        if isinstance(self.found[key], Exception):
            raise self.found[key]
        return self.found[key]

    def run(self, scheduler, steps):
        found = []
        for parts in self.parts:
            scheduler = copy.deepcopy(scheduler)
            pipe = StableDiffusionPipeline(**parts, requires_safety_checker=False)
            pipe.set_progress_bar_config(disable=True)
            pipe.scheduler = scheduler
            found.append(pipe(PROMPT, num_inference_steps=steps, guidance_scale=GUIDANCE, generator=torch.Generator().manual_seed(SEED),
                              output_type="latent").images)
        return found


def schedulers(cx, base, place):
    runner, arrays, cases, known = Runner(base, place), {}, [], {}
    for config, target, exact, steps in scheduler_cases():
        case = {"config": config, "scheduler": target, "exact": exact, "steps": steps}
        try:
            a, b = runner.latents(config, target, exact, steps)
            assert torch.isfinite(a).all(), case
        except AssertionError:
            raise
        except Exception as e:
            cases.append({**case, "error": f"{type(e).__name__}: {str(e)[:100]}"})
            continue
        bits = a.numpy().tobytes()
        if bits not in known:
            known[bits] = f"l{len(known)}"
            arrays[known[bits]] = a[0]
        cases.append({**case, "latents": known[bits], **C.stats(a, b)})
        cases[-1] = {k: v for k, v in cases[-1].items() if k not in ("shape", "f32_vs_f64_max_err")}
    C.save_st(os.path.join(cx.out, "schedulers.safetensors"), arrays)
    text = ",\n".join("  " + json.dumps(c, cls=C._Enc) for c in cases)
    head = json.dumps({"prompt": PROMPT, "seed": SEED, "guidance": GUIDANCE})[1:-1]
    with open(os.path.join(cx.out, "schedulers.json"), "w") as f:
        f.write("{" + head + ', "cases": [\n' + text + "\n]}\n")
    print(len(cases), "cases,", len(arrays), "latents,", sum("error" in c for c in cases), "fail in the reference")


def sizes(cx, base, place):
    rows = []
    for version in ("0.2.4", "0.6.0.dev0", "0.8.1", "0.9.0.dev0", "0.9.0", "0.10.2", "0.42.1", None):
        for size in (12, 63, 64, [12, 16]):
            f = folder(base, place, unet={"_diffusers_version": version or ..., "sample_size": size})
            got = StableDiffusionPipeline.from_pretrained(f, safety_checker=None).unet.config.sample_size
            rows.append({"version": version, "sample_size": size, "size": got})
    C.write_json(os.path.join(cx.out, "sizes.json"), rows)


def texts(cx, base, place):
    prompts = ["a red dragon", "", "a castle " * 60, "a photo of a cat, oil on canvas"]
    pipe = StableDiffusionPipeline.from_pretrained(folder(base, place, text_encoder={"use_attention_mask": True}), safety_checker=None)
    states, _ = pipe.encode_prompt(prompts, "cpu", 1, False)
    _, negative = pipe.encode_prompt(prompts, "cpu", 1, True, negative_prompt=None)
    assert torch.equal(negative[0], states[1])
    t = pipe.tokenizer(prompts, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
    pooled = pipe.text_encoder(t.input_ids, attention_mask=t.attention_mask).pooler_output
    C.save_st(os.path.join(cx.out, "texts.safetensors"), {"states": states, "pooled": pooled})
    C.write_json(os.path.join(cx.out, "texts.json"), {"text_encoder": {"use_attention_mask": True}, "prompts": prompts})


def unets(cx):
    common = dict(sample_size=8, layers_per_block=1, norm_num_groups=2, attention_head_dim=2, transformer_layers_per_block=1)
    two = dict(block_out_channels=(4, 8), down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
               up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"))
    for i, (name, more) in enumerate({
        "only_cross_all": dict(two, only_cross_attention=True, cross_attention_dim=16),
        "only_cross_last": dict(two, only_cross_attention=[False, True], cross_attention_dim=8),
        "only_cross_first": dict(two, only_cross_attention=[True, False], cross_attention_dim=16, mid_block_only_cross_attention=True),
    }.items()):
        model = C.randomise(UNet2DConditionModel(**common, **more), cx.gen(900 + i))
        g = cx.gen(950 + i)
        x, e = torch.randn((2, 4, 8, 8), generator=g), torch.randn((2, 7, more["cross_attention_dim"]), generator=g)
        out, wide = model(x, 500, encoder_hidden_states=e).sample, C.double_copy(model)(x.double(), 500, encoder_hidden_states=e.double()).sample
        place = cx.dir("unets", name)
        model.save_pretrained(place)
        C.save_st(os.path.join(place, "io.safetensors"), {"sample": x, "timestep": torch.tensor([500.0, 500.0]), "context": e, "out": out})
        C.write_json(os.path.join(place, "case.json"), C.stats(out, wide))


def main():
    cx = C.Ctx("folders")
    base = os.path.join(cx.root, "models", "pipeline")
    draw_single_precision()
    with tempfile.TemporaryDirectory() as place:
        place = os.path.join(place, "model")
        if cx.want("unets"):
            unets(cx)
        if cx.want("sizes"):
            sizes(cx, base, place)
        if cx.want("texts"):
            texts(cx, base, place)
        if cx.want("schedulers"):
            schedulers(cx, base, place)
    print("folders", f"{C.du(cx.out) / 1e6:.2f} MB")


main()
