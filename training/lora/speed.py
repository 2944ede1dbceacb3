"""LoRA training of one sequence in torch, for bench/train.mjs: tokens a second and peak memory, as one line of JSON.

PYTHONPATH=training python3 -m lora.speed --model toy/model.gguf --tokens 512 --rows 256 --threads 2 --steps 8
"""
import argparse
import json
import resource
import time
from pathlib import Path

import torch
from nano.load_gguf import read_gguf

from .decoder import Decoder

RANK, ALPHA = 16, 32


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", type=Path, required=True)
    for name in ("tokens", "rows", "threads", "steps"):
        p.add_argument(f"--{name}", type=int, required=True)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    model = Decoder(*read_gguf(a.model), scale=ALPHA / RANK)
    embed = model.weights["token_embd.weight"]
    leaves = []
    for name, n_in, n_out in model.pairs():
        pair = (torch.randn(RANK, n_in) / n_in**0.5).requires_grad_(), torch.zeros(n_out, RANK).requires_grad_()
        model.adapter[name] = pair
        leaves += pair
    optimizer = torch.optim.AdamW(leaves, lr=1e-4)
    tokens = torch.randint(0, 200, (a.tokens,))
    positions = torch.arange(a.tokens).expand(3, -1)
    rows = list(range(a.tokens - a.rows - 1, a.tokens - 1))
    targets = tokens[a.tokens - a.rows :].tolist()

    def step() -> None:
        optimizer.zero_grad()
        loss = -model.log_probs(embed[tokens], positions, rows, targets).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(leaves, 1.0)
        optimizer.step()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    step()
    seconds, start_cpu = [], time.process_time()
    for _ in range(a.steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    cpu = (time.process_time() - start_cpu) / a.steps
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"version": torch.__version__, "seconds": seconds, "cpuSeconds": cpu, "peakBytes": peak, "beforeBytes": before}))


if __name__ == "__main__":
    main()
