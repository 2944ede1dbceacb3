"""Stage 1: the vision tower alone, on dense targets: maps of saliency, subject and lines, the teacher's crop
scores, and a summary of both that attention can read off.

python -m nano.train_vision --data shard [shard ...] --out run/vision --minutes 25
"""
import torch

from .augment import mirror, mirrored_boxes, recolour
from .dense import BestBoxes, dense_losses, teacher_scores
from .heads import DenseHeads
from .loop import Loop, stage_parser
from .model import Nano, init_weights, normalise
from .run import Means, autocast, compile_blocks, device, evaluating, optimiser
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
    p = stage_parser(__doc__, batch=24, lr=1e-3, save_minutes=3)
    p.add_argument("--held-out", nargs="*", default=[], help="shards to measure on, never trained on")
    p.add_argument("--temperature", type=float, default=1.0, help="of the teacher's scores")
    p.add_argument("--compile", action="store_true")
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
    kept = {"shape": shape.as_dict(), "meta": meta, "args": vars(a) | {"out": str(a.out)}}
    optimisers = {"opt": (optimiser([model.vision, heads], a.lr), a.lr)}
    loop = Loop(a, dev, {"model": model, "heads": heads}, optimisers, kept, curve_every=50)
    if a.compile:
        compile_blocks(model.vision.blocks)
    rng = torch.Generator().manual_seed(a.seed + loop.step)
    flip, best = mirrored_boxes(boxes), BestBoxes(boxes)

    def step_losses(batch: list[View]) -> tuple[torch.Tensor, dict]:
        parts = losses(model, heads, batch, dev, a.temperature, best, flip, rng)
        return sum(parts.values()), parts

    loop.run(
        batches(views, a.batch, a.seed + loop.step),
        step_losses,
        clipped=[*model.vision.parameters(), *heads.parameters()],
        measure=(lambda: measure(model, heads, held_out, dev, a.temperature, best)) if held_out else None,
    )


def measure(model: Nano, heads: DenseHeads, views: list[View], dev, temperature: float, best: BestBoxes) -> dict[str, float]:
    means = Means()
    with evaluating(model, heads):
        for part in once_through(views, 32):
            parts = losses(model, heads, part, dev, temperature, best)
            means.add({k: v.item() for k, v in parts.items()}, len(part))
    return means.values("held_")


if __name__ == "__main__":
    main()
