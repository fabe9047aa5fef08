"""Times noisebook against diffusers and transformers on the same work, alternating, and prints a table of ratios.

    python examples/benchmarks/compare.py --noisebook .build/release/noisebook --peer PEER.PY --model DIR [--rounds 3] [ROW ...]

PEER.PY times the peers (`bench/peer.py` of the shared material), DIR is a model folder of the report's shapes
(`bench/make_report_model.py` writes one). Each round runs the peer, then noisebook, in fresh processes, with the same number of threads.
A ratio is the peer's median over noisebook's; in brackets the smallest and the largest of the rounds. A guided prediction of noisebook's is its share
of a DDIM run of ten steps (four for eight items), as people run it: with its share of encoding the empty prompt and of the texts' keys and values, which
noisebook computes once and diffusers in every call, and of the scheduler's steps. The 36 texts
begin alike ("a red dragon number"), 5 of 77 positions that noisebook computes once for all; the peer gets random tokens, which take it as long as any
others. Where noisebook's side does more, it is not taken off: "open the UNet" also opens and runs the text encoder there.
"""
import argparse, json, os, pathlib, pty, re, select, statistics, subprocess, sys, time

here = pathlib.Path(__file__).resolve().parent
p = argparse.ArgumentParser()
p.add_argument("--noisebook", required=True)
p.add_argument("--peer", required=True)
p.add_argument("--model", required=True)
p.add_argument("--rounds", type=int, default=3)
p.add_argument("--threads", type=int, default=os.cpu_count())
p.add_argument("rows", nargs="*")
a = p.parse_args()
small = here.parent / "models" / "monsters"

def texts(n):
    return "[" + ", ".join(f'"a red dragon number {i}"' for i in range(n)) + "]"

def steps(text, count): return f"x = {text} | noise of={count} scheduler=ddim | encode text\nbench {{n}} {{{{ x | denoise guidance=10 }}}}"
# Row: the peer's task and its arguments, the model, the turns of a round, noisebook's program, and how many of the peer's turns one of its own is.
rows = {
    "one guided prediction, batch 2": ("unet", [], a.model, 5, steps('"a golem"', 10), 10),
    "eight guided predictions, batch 16": ("unet", ["--batch", "16"], a.model, 2, steps(texts(8), 4), 4),
    "VAE decode, 256 x 256": ("decode", ["--batch", "1"], a.model, 3, 'x = "a golem" | noise of=10\nbench {n} {{ x | decode }}'),
    "VAE encode, 256 x 256": ("encode", ["--batch", "1"], a.model, 3, "x = dataset monsters split=test size=256 | first 1\nbench {n} {{ x | encode image }}"),
    "text encoder, 36 prompts": ("text", ["--batch", "36"], a.model, 3, f"x = {texts(36)}\nbench {{n}} {{{{ x | encode text }}}}"),
    "open the UNet and predict once": ("load", [], a.model, 1, None),
    "monsters: 36 prompts, 70 steps, decoded": (
        "pictures", ["--batch", "36"], str(small), 1, f"x = {texts(36)}\nbench {{n}} {{{{ x | noise of=70 | denoise guidance=10 | decode }}}}"),
    "start": ("start", [], a.model, 3, None),
}

def peer(task, arguments, model, turns):
    command = [sys.executable, a.peer, task, "--model", model, "--repeat", str(turns), "--threads", str(a.threads), *arguments]
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]
    result = json.loads(line)
    return result["median"], result["peak_rss_mb"]

def table(program):
    command = [a.noisebook, "--json", "--no-cache", "--threads", str(a.threads), "-e", program]
    lines = [json.loads(l) for l in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()]
    value = lines[-1]["value"]
    row = dict(zip((c["name"] for c in value["columns"]), value["rows"][-1]))
    return row["seconds"], row["peak_mb"]

def prompt_start():
    """Process start until the prompt can be typed at."""
    begin = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(a.noisebook, [a.noisebook])
    seen = b""
    while not re.search(rb"noise> ?|> $", seen):
        if not select.select([fd], [], [], 10)[0]: sys.exit("noisebook gave no prompt in 10 s")
        seen += os.read(fd, 4096)
    seconds = time.perf_counter() - begin
    os.close(fd); os.waitpid(pid, 0)
    return seconds

def peak(results):
    return "not measured" if results[0][1] is None else f"{max(r[1] for r in results):.0f}"

def own(name, model, turns, program, share):
    if name == "start": return statistics.median(prompt_start() for _ in range(21)), None
    load = f"model = load {model}\n"
    if program is None: return table(f"time {{\n{load}\"a golem\" | noise of=10 | predict at=500\n}}")
    seconds, peak = table(load + program.format(n=turns))
    return seconds / share, peak

print("| work | peer's median / ours | peer s | ours s | peer peak MB | our peak MB |\n| --- | --: | --: | --: | --: | --: |", flush=True)
for name, (task, arguments, model, turns, program, *share) in rows.items():
    if a.rows and not any(r in name for r in a.rows): continue
    theirs, ours = [], []
    for _ in range(a.rounds):
        theirs.append(peer(task, arguments, model, turns))
        ours.append(own(name, model, turns, program, *(share or [1])))
    x, y = statistics.median(t[0] for t in theirs), statistics.median(t[0] for t in ours)
    each = [t[0] / o[0] for t, o in zip(theirs, ours)]
    print(f"| {name} | {x / y:.2f} ({min(each):.2f} to {max(each):.2f}) | {x:.3f} | {y:.3f} | {max(t[1] for t in theirs)} | {peak(ours)} |", flush=True)
