"""The loop of every stage: steps under a budget, a learning rate that rises and falls, checkpoints to resume from, and a
curve of the losses."""
import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import nn

from .run import Budget, Curve, lr_factor, save_atomically, use_precision
from .shards import View


def stage_parser(doc: str, batch: int, lr: float, save_minutes: float, lr_of: str | None = None) -> argparse.ArgumentParser:
    """The options all stages have, with a stage's own defaults."""
    p = argparse.ArgumentParser(description=doc)
    p.add_argument("--data", nargs="+", required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--steps", type=int)
    p.add_argument("--minutes", type=float)
    p.add_argument("--batch", type=int, default=batch)
    p.add_argument("--lr", type=float, default=lr, help=lr_of)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int)
    p.add_argument("--save-minutes", type=float, default=save_minutes)
    p.add_argument("--precision", choices=["bfloat16", "float32"], default="bfloat16", help="float32 on CPUs without AVX-512")
    return p


class Loop:
    """`modules` and `optimisers` (each with its highest learning rate) by the names the checkpoint keeps their states
    under, `kept` what else it holds. Resumes from `out/last.pt` where there is one."""

    def __init__(
        self,
        a: argparse.Namespace,
        dev: torch.device,
        modules: dict[str, nn.Module],
        optimisers: dict[str, tuple[torch.optim.Optimizer, float]],
        kept: dict,
        curve_every: int,
    ):
        use_precision(a.precision)
        self.a, self.kept = a, kept
        self.optimisers = list(optimisers.values())
        self.stateful = modules | {name: opt for name, (opt, _) in optimisers.items()}
        a.out.mkdir(parents=True, exist_ok=True)
        self.checkpoint = a.out / "last.pt"
        self.curve = Curve(a.out / "curve.csv", curve_every)
        self.step, self.spent_s = 0, 0.0
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location=dev)
            for name, part in self.stateful.items():
                part.load_state_dict(state[name])
            self.step, self.spent_s = state["step"], state["seconds"]
            print(f"resumed at step {self.step}", flush=True)

    def run(
        self,
        batches: Iterable[list[View]],
        losses: Callable[[list[View]], tuple[torch.Tensor, dict[str, torch.Tensor]]],
        clipped: Iterable[nn.Parameter],
        measure: Callable[[], dict[str, float]] | None = None,
    ) -> None:
        """`losses` gives what is minimised and the parts the curve shows; the gradients of `clipped` have a norm of at
        most 1; `measure` is asked at every checkpoint."""
        a, clipped = self.a, list(clipped)
        budget = Budget(a.steps, a.minutes, self.spent_s)
        saved = budget.seconds()
        for batch in batches:
            progress = budget.progress(self.step)
            if progress >= 1:
                break
            for opt, lr in self.optimisers:
                for group in opt.param_groups:
                    group["lr"] = lr * lr_factor(progress)
            loss, parts = losses(batch)
            for opt, _ in self.optimisers:
                opt.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(clipped, 1.0)
            for opt, _ in self.optimisers:
                if any(group["params"] for group in opt.param_groups):  # frozen modules have none
                    opt.step()
            self.step += 1
            self.curve.add(self.step, budget.seconds(), {k: v.item() for k, v in parts.items()})
            if budget.seconds() - saved > 60 * a.save_minutes:
                saved = budget.seconds()
                self.save(budget.seconds(), measure)
        self.save(budget.seconds(), measure)

    def save(self, seconds: float, measure: Callable[[], dict[str, float]] | None) -> None:
        state = self.kept | {name: part.state_dict() for name, part in self.stateful.items()}
        save_atomically(state | {"step": self.step, "seconds": seconds}, self.checkpoint)
        if measure:
            self.curve.write(self.step, seconds, measure())
