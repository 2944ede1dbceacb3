"""Stage 1b, from a model that can already speak: the vision tower learns where subjects are (masks), where the crop of each
ratio belongs, and which photos are of nothing in particular; its image tokens are held near what they were, so that the text
model still understands them.

python -m nano.train_places --data shard [...] --places places.jsonl [...] --model gguf/nano --out run/places --minutes 25
"""
import copy
import json
from pathlib import Path

import torch
import torch.nn.functional as F

from .augment import mirror, recolour
from .heads import DenseHeads
from .load_gguf import load_pair
from .loop import Loop, stage_parser
from .model import Nano, normalise
from .place_labels import RATIOS, PlaceHead, PlaceLabels, place_losses, read_place_labels
from .run import Means, autocast, device, evaluating, optimiser
from .shards import View, batches, load_views, once_through, stack_frames

WEIGHTS = {"places": 0.5, "mask": 3.0, "something": 0.3, "subject": 0.3}


def bundled(folder: Path) -> Nano:
    files = json.loads((folder / "manifest.json").read_text())["files"]
    return load_pair(folder, files["text"]["name"], files["mmproj"]["name"])[0].train()


def main() -> None:
    p = stage_parser(__doc__, batch=24, lr=4e-4, save_minutes=4, lr_of="of the tower; the heads', which start anew, is 4 times that")
    p.add_argument("--places", nargs="+", required=True)
    p.add_argument("--model", type=Path, required=True, help="GGUF pair to go on from")
    p.add_argument("--held-out", nargs="*", default=[])
    p.add_argument("--near", type=float, default=0.5, help="weight of staying near the tokens of the model gone on from")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    dev = device()
    labels = read_place_labels(a.places)
    views, meta = load_views(a.data)
    views = [v for v in views if v.source in labels]
    held_out = [v for v in load_views(a.held_out)[0] if v.source in labels] if a.held_out else []
    model = bundled(a.model).to(dev)
    before = copy.deepcopy(model.vision).requires_grad_(False).eval()
    n_embd = model.shape.text.n_embd
    heads, places = DenseHeads(torch.tensor(meta["boxes"]), n_embd).to(dev), PlaceHead(n_embd).to(dev)
    kept = {"shape": model.shape.as_dict(), "meta": meta}
    optimisers = {"opt": (optimiser([model.vision], a.lr), a.lr), "heads_opt": (optimiser([heads, places], 4 * a.lr), 4 * a.lr)}
    loop = Loop(a, dev, {"model": model, "heads": heads, "places": places}, optimisers, kept, curve_every=25)
    rng = torch.Generator().manual_seed(a.seed + loop.step)
    print(f"{len(views)} photos, {len(held_out)} held out", flush=True)

    def step_losses(batch: list[View]) -> tuple[torch.Tensor, dict]:
        mine = [labels[v.source] for v in batch]
        pixels = stack_frames(batch)
        if torch.rand((), generator=rng) < 0.5:
            pixels, mine = mirror(pixels), [label.mirrored() for label in mine]
        pixels = normalise(recolour(pixels, rng).to(dev))
        with autocast(dev):
            tokens = model.vision(pixels)
            parts = place_losses(heads, places, tokens, batch[0], mine)
            # Every third step, since it costs as much again as a forward pass.
            if a.near > 0 and loop.step % 3 == 0:
                with torch.no_grad():
                    old = before(pixels)
                parts["near"] = F.mse_loss(tokens, old) / old.var()
        weights = WEIGHTS | {"near": 3 * a.near}
        return sum(weights[name] * value for name, value in parts.items()), parts

    loop.run(
        batches(views, a.batch, a.seed + loop.step),
        step_losses,
        clipped=[*model.vision.parameters(), *heads.parameters(), *places.parameters()],
        measure=(lambda: measure(model, heads, places, held_out, labels, dev)) if held_out else None,
    )


def measure(model: Nano, heads: DenseHeads, places: PlaceHead, views: list[View], labels: dict[str, PlaceLabels], dev) -> dict:
    """The losses, and what the places likeliest by the tower are worth to the teacher, beside the centre."""
    means = Means()
    with evaluating(model, heads, places):
        for part in once_through(views, 32):
            mine = [labels[v.source] for v in part]
            tokens = model.vision(normalise(stack_frames(part).to(dev)))
            means.add({k: v.item() for k, v in place_losses(heads, places, tokens, part[0], mine).items()}, len(part))
            chosen = places(tokens)[0].argmax(dim=-1)
            for i, label in enumerate(mine):
                for r in range(len(RATIOS)):
                    if label.axis[r] >= 0:
                        worth = label.worth[r]
                        means.add({"worth": worth[chosen[i, r]].item(), "centre": worth[len(worth) // 2].item()})
    return means.values("held_")


if __name__ == "__main__":
    main()
