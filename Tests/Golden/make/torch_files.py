"""Files of torch.save in all forms that people have, and the tensors in them as safetensors; torch 2.13.0.

    python torch_files.py FOLDER

`good.json` names for each file the safetensors file with what it holds, `bad.json` for each a word that the error must hold.
"""
import collections
import io
import json
import os
import pickle
import struct
import sys
import zipfile

import torch
from safetensors.torch import save_file

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
torch.manual_seed(24)
good, bad = {}, {}


def path(name):
    return os.path.join(folder, name)


def contents():
    plain = {
        "conv.weight": torch.randn(4, 3, 3, 3), "conv.bias": torch.randn(4), "norm.weight": torch.randn(7).half(),
        "table": torch.randn(5, 6).bfloat16(), "double": torch.randn(2, 2).double(), "scalar": torch.tensor(1.5),
        "positions": torch.arange(9).reshape(1, 9), "small": torch.arange(-4, 4, dtype=torch.int8), "bytes": torch.arange(8, dtype=torch.uint8),
        "short": torch.arange(3, dtype=torch.int16), "int": torch.arange(3, dtype=torch.int32), "mask": torch.tensor([True, False, True]),
        "empty": torch.zeros(0, 3),
    }
    shared = torch.randn(10, 8)
    plain["whole"] = shared
    plain["rows"] = shared[3:6]
    plain["columns"] = shared[:, 2:5]
    plain["transposed"] = shared.t()
    plain["channels_last"] = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    return plain


plain = contents()
save_file({k: v.contiguous().clone() for k, v in plain.items()}, path("plain.safetensors"))
parameters = {"a.weight": torch.nn.Parameter(torch.randn(3, 4)), "a.bias": torch.nn.Parameter(torch.randn(3), requires_grad=False)}
save_file({k: v.detach().clone() for k, v in parameters.items()}, path("parameters.safetensors"))


def keep(name, value, expected, **options):
    torch.save(value, path(name), **options)
    good[name] = expected


keep("zip.bin", plain, "plain")
keep("zip-ordered.pt", collections.OrderedDict(plain), "plain")
keep("zip-protocol-4.pth", plain, "plain", pickle_protocol=4)
keep("legacy.bin", plain, "plain", _use_new_zipfile_serialization=False)
keep("legacy-ordered.pth", collections.OrderedDict(plain), "plain", _use_new_zipfile_serialization=False)
keep("parameters.pt", parameters, "parameters")
keep("parameters-legacy.pt", parameters, "parameters", _use_new_zipfile_serialization=False)
for wrapper in ["state_dict", "model_state_dict", "ema", "model"]:
    keep(f"under-{wrapper}.ckpt", {"epoch": 3, wrapper: plain, "lr": 0.1, "optimizer": {"state": {}}}, "plain")
keep("twice.ckpt", {"epoch": 3, "model": {"state_dict": plain, "name": "x"}}, "plain")
keep("parallel.pt", {"module." + k: v for k, v in plain.items()}, "plain")
keep("compiled.pt", {"_orig_mod.module." + k: v for k, v in plain.items()}, "plain")


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(4, 3)


module = Small()
with torch.no_grad():
    module.a.weight.copy_(parameters["a.weight"])
    module.a.bias.copy_(parameters["a.bias"])
keep("state.pt", module.state_dict(), "parameters")
# Other globals beside the tensors are no hindrance.
keep("beside.pt", {"state_dict": plain, "args": __import__("argparse").Namespace(lr=1), "path": __import__("pathlib").PurePosixPath("/x")}, "plain")

# What must be refused, and what the error must say.
torch.save(module, path("module.pt"))
bad["module.pt"] = "__main__.Small"
torch.save({"epoch": 3, "numbers": [1, 2]}, path("nothing.pt"))
bad["nothing.pt"] = "no tensors"
torch.save({"q": torch.quantize_per_tensor(torch.randn(4), 0.1, 0, torch.qint8)}, path("quantised.pt"))
bad["quantised.pt"] = "not read"
torch.save({"z": torch.zeros(2, dtype=torch.complex64)}, path("complex.pt"))
bad["complex.pt"] = "not read"
torch.jit.save(torch.jit.trace(module.a, torch.zeros(1, 4)), path("script.pt"))
bad["script.pt"] = "TorchScript"


class Call:
    def __init__(self, function, *arguments):
        self.pair = (function, arguments)

    def __reduce__(self):
        return self.pair


mark = "touch CALLED"
for name, call in [("system", Call(os.system, mark)), ("eval", Call(eval, f"__import__('os').system('{mark}')")), ("chain", Call(map, Call(eval, "1"), Call(os.system, mark)))]:
    torch.save(call, path(f"{name}.pt"))
    bad[f"{name}.pt"] = "nothing is called"
    # Beside good tensors nothing happens either.
    torch.save({"state_dict": plain, "extra": call}, path(f"{name}-beside.pt"))
    good[f"{name}-beside.pt"] = "plain"
with open(path("pickle.pt"), "wb") as file:
    pickle.dump({"a": 1}, file, protocol=2)
bad["pickle.pt"] = "not one of torch.save"
with open(path("pointer.bin"), "w") as file:
    file.write("version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12345\n")
bad["pointer.bin"] = "git-lfs"
with open(path("page.bin"), "w") as file:
    file.write("<!DOCTYPE html><html><body>404</body></html>")
bad["page.bin"] = "web page"
open(path("empty.bin"), "w").close()
bad["empty.bin"] = "empty"
with zipfile.ZipFile(path("other.zip"), "w") as file:
    file.writestr("a.txt", "hello")
bad["other.zip"] = "not one of torch.save"


def rewritten(name, change, why, method=zipfile.ZIP_STORED):
    source = zipfile.ZipFile(path("zip.bin"))
    with zipfile.ZipFile(path(name), "w", method) as file:
        for member in source.namelist():
            change(file, member, source.read(member))
    bad[name] = why


rewritten("packed.pt", lambda file, name, data: file.writestr(name, data), "packed", zipfile.ZIP_DEFLATED)
rewritten("big-endian.pt", lambda file, name, data: file.writestr(name, b"big" if name.endswith("byteorder") else data), "big-endian")
rewritten("no-storage.pt", lambda file, name, data: None if name.endswith("data/0") else file.writestr(name, data), "missing")
rewritten("short-storage.pt", lambda file, name, data: file.writestr(name, data[:8] if name.endswith("data/0") else data), "does not lie within")
json.dump(good, open(path("good.json"), "w"), indent=1, sort_keys=True)
json.dump(bad, open(path("bad.json"), "w"), indent=1, sort_keys=True)
