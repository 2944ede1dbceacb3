"""What every stage shares: device, precision, learning rate, checkpoints one can resume from, a curve in a CSV file."""
import csv
import math
import os
import time
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


_precision = "bfloat16"


def use_precision(name: str) -> None:
    """For all stages of this process: `bfloat16`, or `float32` where a CPU has no instructions for it."""
    global _precision
    _precision = name


def autocast(dev: torch.device):
    return torch.autocast(dev.type, dtype=torch.bfloat16, enabled=_precision == "bfloat16")


def compile_blocks(*lists: nn.ModuleList) -> None:
    """Fuses the element-wise work of each block, a quarter less time on a CPU after some seconds of compiling (needs a
    C++ compiler). Names of parameters stay as they are."""
    for blocks in lists:
        for block in blocks:
            block.compile(dynamic=True)


def optimiser(modules: list[nn.Module], lr: float, weight_decay: float = 0.05) -> torch.optim.AdamW:
    """Decay on matrices only."""
    params = [p for m in modules for p in m.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in params if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in params if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98), fused=True)


def lr_factor(progress: float, warmup: float = 0.02) -> float:
    """Linear up, then a cosine down to a twentieth. Progress runs from 0 to 1 over the stage."""
    if progress < warmup:
        return max(0.02, progress / warmup)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup))))


class Budget:
    """How long a stage runs: a number of steps, or minutes of wall clock that are kept across restarts."""

    def __init__(self, steps: int | None, minutes: float | None, spent_s: float = 0.0):
        if (steps is None) == (minutes is None):
            raise ValueError("say --steps or --minutes, one of them")
        self.steps, self.minutes = steps, minutes
        self.spent_s, self.started = spent_s, time.monotonic()

    def seconds(self) -> float:
        return self.spent_s + time.monotonic() - self.started

    def progress(self, step: int) -> float:
        return step / self.steps if self.steps else self.seconds() / (60 * self.minutes)


def save_atomically(state: dict, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)


class Means:
    """Of named losses, each over the steps or views that had it."""

    def __init__(self):
        self.sums: dict[str, tuple[float, int]] = {}

    def add(self, values: dict[str, float], n: int = 1) -> None:
        for name, value in values.items():
            total, before = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + n * value, before + n)

    def values(self, prefix: str = "") -> dict[str, float]:
        return {prefix + name: total / n for name, (total, n) in self.sums.items()}


class Curve:
    """Running means of losses, a CSV line every `every` steps."""

    def __init__(self, path: Path, every: int):
        self.path, self.every = path, every
        self.means = Means()

    def add(self, step: int, seconds: float, values: dict[str, float]) -> None:
        self.means.add(values)
        if step % self.every == 0:
            self.write(step, seconds, self.means.values())
            self.means = Means()

    def write(self, step: int, seconds: float, values: dict[str, float]) -> None:
        rows = list(csv.DictReader(self.path.open())) if self.path.exists() else []
        names = list(dict.fromkeys([*(rows[0].keys() if rows else ()), "step", "seconds", *values]))
        row = {"step": step, "seconds": f"{seconds:.0f}", **{k: f"{v:.5f}" for k, v in values.items()}}
        with self.path.open("w", newline="") as f:
            writer = csv.DictWriter(f, names, restval="")
            writer.writeheader()
            writer.writerows([*rows, row])
        print(" ".join(f"{k} {v}" for k, v in row.items()), flush=True)


@contextmanager
def evaluating(*modules: nn.Module):
    for m in modules:
        m.eval()
    with torch.no_grad():
        yield
    for m in modules:
        m.train()
