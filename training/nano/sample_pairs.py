"""Pairs for DPO of which the teacher holds one box clearly better than the other: boxes a checkpoint itself would propose,
and for a share of the views boxes drawn blindly, since a model that only ever compares its own forgets how to rank others',
or a box that a person is likely to draw and a blind one.

python -m nano.sample_pairs --data shard [...] --checkpoint run/sft/last.pt --out run/pairs.jsonl --views 3000
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from .model import Nano, normalise
from .proposals import expected_iou, sample_boxes
from .run import autocast, device
from .shapes import ModelShape
from .shards import View, load_views, stack_frames


def is_free(view: View) -> bool:
    """Crops of any shape, taught: not a judge's list, no aspect, no box to keep."""
    return view.conversation is not None and view.conversation["kind"] == "teach" and view.scores is not None


def blind_boxes(view: View, n: int, rng: np.random.Generator) -> set[tuple[int, int, int, int]]:
    """Half to nineteen twentieths of each side, anywhere."""
    boxes = set()
    for _ in range(n):
        w, h = (round(side * rng.uniform(0.5, 0.95)) for side in (view.width, view.height))
        x, y = int(rng.integers(0, view.width - w + 1)), int(rng.integers(0, view.height - h + 1))
        boxes.add((x, y, x + w, y + h))
    return boxes


def likely_and_blind(view: View, boxes: np.ndarray, rng: np.random.Generator) -> set[tuple[int, int, int, int]]:
    """The best of three boxes that people might draw, as far as the teacher knows them, and one drawn blindly."""
    p = np.exp(view.shard.scores[view.scores].astype(np.float64))
    sides = np.array([view.width, view.height] * 2)
    people = [tuple(int(v) for v in np.round(boxes[k] * sides)) for k in rng.choice(len(boxes), 3, p=p / p.sum())]
    return {max(people, key=lambda box: expected_iou(box, view, boxes))} | blind_boxes(view, 1, rng)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", nargs="+", required=True)
    p.add_argument("--checkpoint", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--views", type=int, default=3000)
    p.add_argument("--samples", type=int, default=8)
    p.add_argument("--blind-share", type=float, default=0.0, help="views of which boxes are drawn blindly")
    p.add_argument("--likely-share", type=float, default=0.0, help="views of which a likely box meets one drawn blindly")
    p.add_argument("--temperature", type=float, default=1.0)
    p.add_argument("--least-gap", type=float, default=0.06, help="in expected IoU")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int)
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    dev = device()
    views, meta = load_views(a.data)
    state = torch.load(a.checkpoint, map_location=dev)
    model = Nano(ModelShape.from_dict(state["shape"])).to(dev).eval()
    model.load_state_dict(state["model"])
    boxes = np.array(meta["boxes"])
    rng = torch.Generator().manual_seed(a.seed)
    order = np.random.default_rng(a.seed).permutation([i for i, v in enumerate(views) if is_free(v)])
    blind = np.random.default_rng(a.seed + 1)
    n_pairs = 0
    with a.out.open("w") as f:
        for i in order[: a.views]:
            view = views[i]
            way = blind.random()
            if way < a.likely_share:
                drawn = likely_and_blind(view, boxes, blind)
            elif way < a.likely_share + a.blind_share:
                drawn = blind_boxes(view, 2, blind)  # two: the best of many would all look alike
            else:
                frames = torch.cat((stack_frames([view]), stack_frames([view], enhanced=True)))
                with torch.no_grad(), autocast(dev):
                    images = model.vision(normalise(frames.to(dev)))
                    drawn = set(sample_boxes(model, view, images, meta, a.samples, a.temperature, rng))
            ranked = sorted(drawn, key=lambda box: expected_iou(box, view, boxes))
            worth = [expected_iou(ranked[k], view, boxes) for k in (-1, 0)]
            if worth[0] - worth[1] < a.least_gap:
                continue
            pair = {"shard": str(view.shard.folder), "source": view.source, "chosen": ranked[-1], "rejected": ranked[0]}
            f.write(json.dumps(pair | {"worth": [round(w, 4) for w in worth]}) + "\n")
            n_pairs += 1
    print(f"{n_pairs} pairs of {min(a.views, len(order))} views")


if __name__ == "__main__":
    main()
