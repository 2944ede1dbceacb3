"""What torch makes of 20 steps of SFT and of DPO on a toy, for test/train/native/steps.test.ts to hold the trainer to.

npx framewright gguf toy --seed steps toy/
PYTHONPATH=training python3 -m lora.reference --model toy/model.gguf --out test/fixtures/train/steps.json

Each answer of a pair is computed as a sequence of its own, each image is placed by the rule of M-RoPE and not by what the
trainer made of it.
"""
import argparse
import hashlib
import json
import math
from pathlib import Path

import torch
from nano.load_gguf import read_gguf
from torch import Tensor

from .decoder import Decoder

N_STEPS, N_WARMUP = 20, 4
BETAS, EPS, WEIGHT_DECAY, CLIP = (0.9, 0.999), 1e-8, 0.01, 1.0
SFT_RATE, DPO_RATE, BETA = 5e-3, 2e-3, 0.2
RANK, ALPHA = 4, 8
GRID = (3, 2)  # columns, rows of the tokens of an image


def lcg(seed: int, n: int) -> list[float]:
    """n numbers in [0, 1), as test/train/native/samples.ts makes them."""
    out = []
    for _ in range(n):
        seed = (seed * 1664525 + 1013904223) % 2**32
        out.append(seed / 2**32)
    return out


def tokens(seed: int, n: int) -> list[int]:
    return [math.floor(value * 200) for value in lcg(seed, n)]


def text(seed: int, n: int, trained: bool = False) -> dict:
    return {"kind": "text", "tokens": tokens(seed, n), "trained": trained}


def image(seed: int) -> dict:
    return {"kind": "image", "seed": seed, "columns": GRID[0], "rows": GRID[1]}


CONVERSATIONS = [
    [text(1, 5), image(2), text(3, 7), text(4, 6, True), text(5, 3), image(6), text(7, 4), text(8, 5, True)],
    [text(11, 9), text(12, 8, True)],
    [text(21, 2), image(22), text(23, 3), text(24, 3, True)],
]
PAIRS = [
    {"pieces": [text(31, 4), image(32), text(33, 5)], "chosen": tokens(34, 6), "rejected": tokens(35, 4)},
    {"pieces": [text(41, 6)], "chosen": tokens(42, 3), "rejected": tokens(43, 7)},
    {"pieces": [text(51, 3), image(52), text(53, 2)], "chosen": tokens(54, 5), "rejected": tokens(55, 5)},
]


def sequence(model: Decoder, pieces: list[dict]) -> tuple[Tensor, Tensor, list[int], list[int]]:
    """Embeddings (T, E), positions (3, T), and the rows and targets of what is trained."""
    embed = model.weights["token_embd.weight"]
    x, positions, rows, targets, at = [], [], [], [], 0
    for piece in pieces:
        if piece["kind"] == "image":
            n = piece["columns"] * piece["rows"]
            values = torch.tensor(lcg(piece["seed"], n * embed.shape[1])) * 2 - 1
            x += values.view(n, -1)
            positions += [(at, at + i // piece["columns"], at + i % piece["columns"]) for i in range(n)]
            at += max(piece["columns"], piece["rows"])
            continue
        for token in piece["tokens"]:
            if piece["trained"]:
                rows.append(len(x) - 1)
                targets.append(token)
            x.append(embed[token])
            positions.append((at, at, at))
            at += 1
    return torch.stack(x), torch.tensor(positions).T, rows, targets


def answer(pair: dict, which: str) -> list[dict]:
    return [*pair["pieces"], {"kind": "text", "tokens": pair[which], "trained": True}]


def score(model: Decoder, pieces: list[dict]) -> Tensor:
    return model.log_probs(*sequence(model, pieces))


def rate(step: int, peak: float) -> float:
    if step < N_WARMUP:
        return peak * (step + 1) / N_WARMUP
    return peak * 0.5 * (1 + math.cos(math.pi * (step - N_WARMUP) / (N_STEPS - N_WARMUP)))


def start(model: Decoder) -> list[Tensor]:
    """A and B of every pair: lora_a as in a file, then lora_b transposed, as the trainer orders its parameters."""
    n = sum(RANK * (n_in + n_out) for _, n_in, n_out in model.pairs())
    flat = (torch.tensor(lcg(12345, n)) - 0.5) * 0.05
    leaves, at = [], 0
    for name, n_in, n_out in model.pairs():
        a = flat[at : at + RANK * n_in].view(RANK, n_in).clone().requires_grad_()
        at += RANK * n_in
        bt = flat[at : at + RANK * n_out].view(RANK, n_out).clone().requires_grad_()
        at += RANK * n_out
        model.adapter[name] = (a, bt.T)
        leaves += [a, bt]
    return leaves


def train(model: Decoder, peak: float, loss_of) -> dict:
    leaves = start(model)
    optimizer = torch.optim.AdamW(leaves, lr=peak, betas=BETAS, eps=EPS, weight_decay=WEIGHT_DECAY)
    losses, norms = [], []
    for step in range(N_STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, peak)
        optimizer.zero_grad()
        loss = loss_of(step)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(leaves, CLIP).item())
        optimizer.step()
        losses.append(loss.item())
    final = torch.cat([leaf.detach().flatten() for leaf in leaves])
    return {"peak": peak, "losses": losses, "norms": norms, "length": final.norm().item(), "first": final[:8].tolist()}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    model = Decoder(*read_gguf(a.model), scale=ALPHA / RANK)

    def two(items: list, step: int) -> list:
        return [items[(2 * step + i) % len(items)] for i in range(2)]

    def sft(step: int) -> Tensor:
        return -torch.cat([score(model, each) for each in two(CONVERSATIONS, step)]).mean()

    def margin(pair: dict) -> Tensor:
        return score(model, answer(pair, "chosen")).sum() - score(model, answer(pair, "rejected")).sum()

    start(model)
    with torch.no_grad():
        references = [margin(pair).item() for pair in PAIRS]

    def dpo(step: int) -> Tensor:
        margins = [BETA * (margin(PAIRS[i]) - references[i]) for i in two(list(range(len(PAIRS))), step)]
        return -torch.stack(margins).sigmoid().log().mean()

    out = {
        "model": {"seed": "steps", "sha256": hashlib.sha256(a.model.read_bytes()).hexdigest()},
        "torch": torch.__version__,
        "settings": {
            "nSteps": N_STEPS, "nWarmup": N_WARMUP, "beta1": BETAS[0], "beta2": BETAS[1], "epsilon": EPS,
            "weightDecay": WEIGHT_DECAY, "clipNorm": CLIP, "rank": RANK, "alpha": ALPHA, "beta": BETA,
        },
        "conversations": CONVERSATIONS,
        "pairs": PAIRS,
        "references": references,
        "sft": train(model, SFT_RATE, sft),
        "dpo": train(model, DPO_RATE, dpo),
    }  # fmt: skip
    a.out.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
