"""Stage 1: the vision tower alone, on dense targets: maps of saliency, subject and lines, the teacher's crop
scores, and a summary of both that attention can read off.

python -m nano.train_vision --data shard [shard ...] --out run/vision --minutes 25
"""
import argparse
from pathlib import Path

import torch

from .augment import mirror, mirrored_boxes, recolour
from .dense import BestBoxes, dense_losses, teacher_scores
from .heads import DenseHeads
from .model import Nano, init_weights, normalise
from .run import Budget, Curve, Means, autocast, compile_blocks, device, evaluating, lr_factor, optimiser, save_atomically
from .shapes import ModelShape
from .shards import View, batches, load_views, once_through, stack_frames, stack_maps


def losses(model: Nano, heads: DenseHeads, views: list[View], dev, temperature: float, best: BestBoxes, flip=None, rng=None):
    """`flip`: for each grid box its mirror image; half of the batches are flipped where it is given."""
    pixels, maps, scores = stack_frames(views), stack_maps(views), teacher_scores(views)
    mirrored = flip is not None and bool(torch.rand((), generator=rng) < 0.5)
    if mirrored:
        pixels, maps = mirror(pixels), maps.flip(3)
        scores = scores[:, flip] if scores is not None else None
    if rng is not None:
        pixels = recolour(pixels, rng)
    with autocast(dev):
        tokens = model.vision(normalise(pixels.to(dev)))
        probabilities = None if scores is None else (scores / temperature).softmax(dim=1)
        return dense_losses(heads, tokens, views, maps, probabilities, best, mirrored)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", nargs="+", required=True)
    p.add_argument("--held-out", nargs="*", default=[], help="shards to measure on, never trained on")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--steps", type=int)
    p.add_argument("--minutes", type=float)
    p.add_argument("--batch", type=int, default=24)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--temperature", type=float, default=1.0, help="of the teacher's scores")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int)
    p.add_argument("--compile", action="store_true")
    p.add_argument("--save-minutes", type=float, default=3)
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    dev = device()
    views, meta = load_views(a.data)
    held_out = load_views(a.held_out)[0] if a.held_out else []
    boxes = torch.tensor(meta["boxes"])
    shape = ModelShape(n_vocab=len(meta["vocabulary"]))
    model = Nano(shape)
    init_weights(model, meta["integerTokens"], a.seed)
    heads = DenseHeads(boxes, shape.text.n_embd)
    model.vision.to(dev)
    heads.to(dev)
    opt = optimiser([model.vision, heads], a.lr)
    a.out.mkdir(parents=True, exist_ok=True)
    checkpoint = a.out / "last.pt"
    step, spent = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=dev)
        model.load_state_dict(state["model"])
        heads.load_state_dict(state["heads"])
        opt.load_state_dict(state["opt"])
        step, spent = state["step"], state["seconds"]
        print(f"resumed at step {step}", flush=True)
    if a.compile:
        compile_blocks(model.vision.blocks)
    budget = Budget(a.steps, a.minutes, spent)
    rng = torch.Generator().manual_seed(a.seed + step)
    curve = Curve(a.out / "curve.csv", every=50)
    flip, best = mirrored_boxes(boxes), BestBoxes(boxes)
    saved = budget.seconds()

    def save() -> None:
        state = {"shape": shape.as_dict(), "model": model.state_dict(), "heads": heads.state_dict(), "meta": meta}
        state |= {"opt": opt.state_dict(), "step": step, "seconds": budget.seconds(), "args": vars(a) | {"out": str(a.out)}}
        save_atomically(state, checkpoint)
        if held_out:
            curve.write(step, budget.seconds(), measure(model, heads, held_out, dev, a.temperature, best))

    for batch in batches(views, a.batch, a.seed + step):
        progress = budget.progress(step)
        if progress >= 1:
            break
        for group in opt.param_groups:
            group["lr"] = a.lr * lr_factor(progress)
        parts = losses(model, heads, batch, dev, a.temperature, best, flip, rng)
        loss = sum(parts.values())
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*model.vision.parameters(), *heads.parameters()], 1.0)
        opt.step()
        step += 1
        curve.add(step, budget.seconds(), {k: v.item() for k, v in parts.items()})
        if budget.seconds() - saved > 60 * a.save_minutes:
            saved = budget.seconds()
            save()
    save()


def measure(model: Nano, heads: DenseHeads, views: list[View], dev, temperature: float, best: BestBoxes) -> dict[str, float]:
    means = Means()
    with evaluating(model, heads):
        for part in once_through(views, 32):
            parts = losses(model, heads, part, dev, temperature, best)
            means.add({k: v.item() for k, v in parts.items()}, len(part))
    return means.values("held_")


if __name__ == "__main__":
    main()
