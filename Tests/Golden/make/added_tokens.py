"""Topic 2b: tokens that were added to CLIP's vocabulary.  added_tokens/cases.json, one folder of a tokenizer after another:
{name, files, alone, texts, ids, padded?}.

files: each file's text beside vocab.json and merges.txt of models/pipeline/tokenizer; "alone" folders go without those two. In tokenizer.json
"MODEL" in quotation marks stands for {"type": "BPE", "vocab": vocab.json, "merges": the lines of merges.txt after the first}.
ids: CLIPTokenizer.from_pretrained(folder)(text).input_ids, start and end included.  padded: the same with max_length 10, padding and truncation.

The reference draws lots where two tokens are one after normalising, so such folders are left out.
"""
import json
import os
import random
import re
import shutil
import tempfile
import unicodedata

import common as C

C.quiet()
from transformers import CLIPTokenizer  # noqa: E402


def token(content, typed=False, **more):
    t = dict(content=content, single_word=False, lstrip=False, rstrip=False, normalized=True, special=False)
    t.update(more)
    return dict(__type="AddedToken", **t) if typed else t


def decoder(*tokens, first=49408, step=1):
    return {str(first + step * i): t if isinstance(t, dict) else token(t) for i, t in enumerate(tokens)}


def whole(*tokens):
    return {"added_tokens": [dict(id=i, **t) for i, t in tokens], "model": "MODEL"}


STANDARD = [(49406, token("<|startoftext|>", normalized=False, special=True)), (49407, token("<|endoftext|>", normalized=False, special=True))]
TOY = ["<sks>", "<cat-toy>", "<zeta>", "<alpha>", "<mid>"]
# name: (files, alone)
FOLDERS = {
    "decoder": ({"tokenizer_config.json": {"added_tokens_decoder": {str(i): t for i, t in STANDARD} | decoder(*TOY)}}, False),
    "decoder_reversed": ({"tokenizer_config.json": {"added_tokens_decoder": dict(reversed(decoder(*TOY).items()))}}, False),
    "decoder_keys_of_other_lengths": ({"tokenizer_config.json": {"added_tokens_decoder": {"100000": token("<a>"), "49408": token("<b>"), "50000": token("<c>")}}}, False),
    "decoder_gaps": ({"tokenizer_config.json": {"added_tokens_decoder": decoder(*TOY, step=3)}}, False),
    "decoder_in_vocabulary": ({"tokenizer_config.json": {"added_tokens_decoder": {"5": token("<a>"), "7": token("dog"), "1929": token("dog</w>"), "49408": token("<b>")}}}, False),
    "decoder_twice": ({"tokenizer_config.json": {"added_tokens_decoder": {"49408": token("<a>"), "49409": token("<a>", normalized=False, single_word=True), "49410": token("<b>")}}}, False),
    "decoder_hides_others": ({"tokenizer_config.json": {"pad_token": "!", "added_tokens_decoder": decoder("<z>")}, "added_tokens.json": {"<x>": 49408},
                              "special_tokens_map.json": {"pad_token": "#", "additional_special_tokens": ["<w>"]}}, False),
    "flags": ({"tokenizer_config.json": {"added_tokens_decoder": decoder(
        token("zwx", single_word=True), token("<l>", lstrip=True), token("<r>", rstrip=True), token("<lr>", lstrip=True, rstrip=True, normalized=False),
        token("Bär", normalized=False), token("<Up>"), token("cat"), token("cat toy", single_word=True, rstrip=True))}}, False),
    "minimal": ({"tokenizer_config.json": {"added_tokens_decoder": {"49408": {"content": "<x>"}, "49409": {"content": "<Y>", "special": True}}}}, False),
    "split_special": ({"tokenizer_config.json": {"split_special_tokens": True, "added_tokens_decoder": decoder("<x>", token("<Y>", special=True))}}, False),
    "added": ({"added_tokens.json": {"<sks>": 49408}}, False),
    "added_unordered": ({"added_tokens.json": {"<b>": 49410, "<c>": 49408, "<a>": 49409}}, False),
    "added_shared_id": ({"added_tokens.json": {"<a>": 49408, "<b>": 49408, "<c>": 49409}}, False),
    "added_and_map": ({"added_tokens.json": {"<a>": 49408, "<b>": 49409, "<|endoftext|>": 49407},
                       "special_tokens_map.json": {"pad_token": "<a>", "eos_token": {k: v for k, v in token("<|endoftext|>").items() if k != "special"},
                                                   "additional_special_tokens": ["<b>", "<c>"]}}, False),
    "added_typed_eos": ({"tokenizer_config.json": {"eos_token": token("<|endoftext|>", typed=True)}, "added_tokens.json": {"<|endoftext|>": 49407, "<x>": 49408}}, False),
    "whole": ({"tokenizer.json": whole(*STANDARD, (49410, token("<b>")), (49408, token("<a>")), (49409, token("Tok", single_word=True)))}, True),
    "whole_and_parts": ({"tokenizer.json": whole(*STANDARD, (49408, token("<a>"))), "vocab.json": {"a": 0}, "merges.txt": "#version: 0.2\n"}, True),
    "whole_over_added": ({"tokenizer.json": whole((49408, token("<a>")), (49409, token("<b>"))), "added_tokens.json": {"<c>": 49408, "<d>": 49410},
                          "tokenizer_config.json": {"pad_token": "<e>"}}, False),
    "map": ({"special_tokens_map.json": {"pad_token": "!", "additional_special_tokens": ["<x>", "<y>"]}, "tokenizer_config.json": {"pad_token": "#"}}, False),
    "extra": ({"tokenizer_config.json": {"extra_special_tokens": ["<x>", token("<Y>", typed=True)], "mask_token": "<m>"}}, False),
    "own_names": ({"special_tokens_map.json": {"zed_token": "<z>", "a_token": token("<a>")}, "tokenizer_config.json": {"q_token": "<q>", "b_token": "<b>"}}, False),
    "own_names_object": ({"tokenizer_config.json": {"extra_special_tokens": {"z_token": "<z>", "image_token": "<a>"}, "q_token": "<q>"}}, False),
    "other_ends": ({"tokenizer_config.json": {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}}, False),
    "left": ({"tokenizer_config.json": {"padding_side": "left", "truncation_side": "left", "added_tokens_decoder": decoder("<x>")}}, False),
}
POOL = TOY + ["<a>", "<b>", "<c>", "<x>", "<X>", "<Y>", "<z>", "zwx", "Zwx", "dog", "cat", "cat toy", "dog</w>", "a b", "  ", " foo", "foo ", "é", "e\u0301", "É", "中文",
              "…", "<|endoftext|>", "<|startoftext|>", "!", "#", "'s", "1", "12", "ab", "abc", "b", "aß", "İ", "Σ", "<", "a>b", "\u00a0x", "-", "--", "_x", "x_", "👩‍🚀", "٣", "\u200dz",
              "<l>", "<r>", "<lr>", "Bär", "bär", "<Up>", "<up>", "Tok", "<q>", "<m>", "<s>", "</s>", "<pad>", "<e>", "<d>", "<w>"]
GLUE = ["", "", "", " ", " ", "  ", "\t", "\n", "\u00a0", "\u3000", "\u200b", "\u200d", ".", ",", "-", "_", "a", "z", "A", "7", "é", "\u0301", "中", "'s", "a photo of ", "Dog "]


def normalised(text):
    return re.sub(r"\s+", " ", "".join(c.lower() for c in unicodedata.normalize("NFC", text)))


def unambiguous(tokens):
    seen = set()
    for t in tokens:
        key = normalised(t["content"])
        if key in seen:
            return False
        seen.add(key)
    return True


def made(r):
    """A folder by chance."""
    while True:
        contents = r.sample(POOL, r.randint(1, 9))
        tokens = [token(c, single_word=r.random() < 0.3, lstrip=r.random() < 0.3, rstrip=r.random() < 0.3, normalized=r.random() < 0.6, special=r.random() < 0.3) for c in contents]
        if unambiguous(tokens):
            break
    ids = [49408 + i * r.choice([1, 1, 1, 2]) for i in range(len(tokens))] if r.random() < 0.7 else r.sample(range(49400, 49500), len(tokens))
    r.shuffle(tokens)
    place = r.choice(["decoder", "added", "whole", "whole_beside", "extra", "mixed"])
    files = {}
    if place == "decoder":
        files["tokenizer_config.json"] = {"added_tokens_decoder": {str(i): t for i, t in zip(ids, tokens)}}
    elif place == "added":
        files["added_tokens.json"] = {t["content"]: i for i, t in zip(ids, tokens)}
    elif place.startswith("whole"):
        files["tokenizer.json"] = whole(*zip(ids, tokens))
    elif place == "extra":
        files["tokenizer_config.json"] = {"extra_special_tokens": [dict(t, __type="AddedToken") if r.random() < 0.5 else t["content"] for t in tokens]}
    else:
        half = len(tokens) // 2
        files["added_tokens.json"] = {t["content"]: i for i, t in zip(ids, tokens[:half])}
        names = ["pad_token", "mask_token", "cls_token", "sep_token", "zz_token", "aa_token", "unk_token"]
        files["special_tokens_map.json"] = {n: ({k: v for k, v in t.items() if k != "special"} if r.random() < 0.5 else t["content"]) for n, t in zip(r.sample(names, len(names)), tokens[half:])}
    return files, place == "whole"


def text(r, contents):
    s = r.choice(GLUE)
    for _ in range(r.randint(1, 7)):
        c = r.choice(contents) if r.random() < 0.8 else r.choice(POOL)
        s += r.choice([c, c, c, c.upper(), c.lower(), unicodedata.normalize("NFD", c)]) + r.choice(GLUE) + r.choice(GLUE)
    return s


def contents(files):
    found = []

    def walk(x):
        if isinstance(x, dict):
            if isinstance(x.get("content"), str):
                found.append(x["content"])
            for k, v in x.items():
                found.append(k) if k.startswith("<") else None
                walk(v)
        elif isinstance(x, list):
            for v in x:
                walk(v)
        elif isinstance(x, str) and x != "MODEL":
            found.append(x)
    walk({k: v for k, v in files.items() if k.startswith(("tok", "add", "spe"))})
    return [f for f in found if f and f not in ("left", "AddedToken")] or ["dog"]


def main():
    cx = C.Ctx("added_tokens")
    base = os.path.join(cx.root, "models", "pipeline", "tokenizer")
    vocabulary = open(os.path.join(base, "vocab.json"), encoding="utf-8").read()
    merges = [m for m in open(os.path.join(base, "merges.txt"), encoding="utf-8").read().split("\n")[1:] if m]
    model = '{"type": "BPE", "vocab": %s, "merges": %s}' % (vocabulary, json.dumps(merges))
    r = random.Random(cx.base)
    settings = cx.v.get("added_tokens", {"texts": 12, "random": 6})
    folders = dict(FOLDERS) | {f"random_{i}": made(r) for i in range(settings["random"])}
    cases = []
    for name, (files, alone) in folders.items():
        files = {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in files.items()}
        with tempfile.TemporaryDirectory() as d:
            if not alone:
                for f in ("vocab.json", "merges.txt"):
                    shutil.copy(os.path.join(base, f), d)
            for k, v in files.items():
                open(os.path.join(d, k), "w", encoding="utf-8").write(v.replace('"MODEL"', model))
            tok = CLIPTokenizer.from_pretrained(d)
        words = contents({k: json.loads(v) if k.endswith(".json") else v for k, v in files.items()})
        texts = [" ".join(words)] + [text(r, words) for _ in range(settings["texts"])]
        case = {"name": name, "files": files, "alone": alone, "texts": texts, "ids": [tok(t).input_ids for t in texts]}
        if name in ("left", "map", "other_ends"):
            case["padded"] = [tok(t, padding="max_length", max_length=10, truncation=True).input_ids for t in texts]
        cases.append(case)
    with open(os.path.join(cx.out, "cases.json"), "w", encoding="utf-8") as f:  # one folder a line
        f.write('{"tokenizer": "models/pipeline/tokenizer", "cases": [\n' + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]}\n")
    print("added_tokens", len(cases), "folders,", sum(len(c["texts"]) for c in cases), "texts")


main()
