"""Stages 2 and 3: the whole model on conversations; the dense losses stay beside it. Stage 2 starts from a vision
checkpoint, stage 3 from stage 2 with a smaller learning rate and --sources to narrow the data. With --freeze-vision the
tower only looks at each frame once and keeps what it saw: several times as many conversations a minute for a text model
that still has everything to learn.

python -m nano.train_chat --data shard [...] --init run/vision/last.pt --out run/text --minutes 20 --freeze-vision
python -m nano.train_chat --data shard [...] --init run/text/last.pt --out run/joint --minutes 40
"""
from pathlib import Path

import numpy as np
import torch

from .augment import recolour
from .conversations import STAGES, Batch, Collator, target_rows
from .dense import BestBoxes, dense_losses, teacher_scores
from .heads import DenseHeads
from .loop import Loop, stage_parser
from .model import Nano, init_weights, normalise
from .run import Means, autocast, compile_blocks, device, evaluating, optimiser
from .shapes import ModelShape
from .shards import View, batches, load_views, once_through, stack_frames, stack_maps


def chat_losses(model: Nano, batch: Batch, images: torch.Tensor, meta: dict, sigma: tuple[float, float]) -> dict:
    """images (2B, T', E): photo and enhanced photo of each sample in turn. Cross-entropy less the target's own entropy,
    so that 0 is perfect; a value a stage, and the whole."""
    dev = images.device
    hidden = model.hidden(batch.tokens.to(dev), batch.pos.to(dev), meta["imagePad"], images.flatten(0, 1))
    labels = batch.labels
    logits = model.text.output(hidden[labels.sample.to(dev), labels.at.to(dev)]).float()
    target = target_rows(labels, logits.shape[1], torch.tensor(meta["integerTokens"]), sigma).to(dev)
    entropy = torch.special.entr(target).sum(dim=1)
    row = -(target * logits.log_softmax(dim=1)).sum(dim=1) - entropy
    weight = labels.weight.to(dev)
    stage = labels.stage.to(dev)
    out = {}
    for s, name in enumerate(STAGES):
        mine = weight * (stage == s)
        if mine.sum() > 0:
            out[name] = (row * mine).sum() / mine.sum()
    return out


def losses(model: Nano, heads: DenseHeads, collate: Collator, views: list[View], dev, a, meta, best, rng=None) -> dict:
    """Without `rng`, nothing is drawn by lot: the photos as they are, all of them enhanced."""
    photo = stack_frames(views)
    # One image where only the analysis is learned; the photo again in place of the enhanced one in its share of the rest.
    plain = rng is not None and bool(torch.rand((), generator=rng) < a.plain_share)
    once = views[0].analysis_only or plain
    frames = photo if once else torch.cat((photo, stack_frames(views, enhanced=True)), dim=2)
    if rng is not None:
        frames = recolour(frames, rng)  # both frames of a sample get the same light
    scores = teacher_scores(views)
    with autocast(dev):
        tokens = model.vision(normalise(torch.cat(frames.split(photo.shape[2], dim=2)).to(dev)))  # (B or 2B, T', E)
        n = len(views)
        probabilities = None if scores is None else scores.softmax(dim=1)
        out = dense_losses(heads, tokens[:n], views, stack_maps(views), probabilities, best)
        if not views[0].analysis_only:
            tokens = torch.stack((tokens[:n], tokens[-n:]), dim=1).flatten(0, 1)
        out |= chat_losses(model, collate(views), tokens, meta, (a.sigma_elements, a.sigma_candidates))
    return out


class SeenFrames:
    """What a frozen tower makes of photo and enhanced photo, computed once a view."""

    def __init__(self, model: Nano, dev):
        self.model, self.dev = model, dev
        self.kept: dict[int, torch.Tensor] = {}

    def __call__(self, views: list[View]) -> torch.Tensor:
        """(2B, T', E), or (B, T', E) where only the analysis is learned"""
        missing = [v for v in views if id(v) not in self.kept]
        if missing:
            frames = [stack_frames(missing)]
            if not views[0].analysis_only:
                frames.append(stack_frames(missing, enhanced=True))
            with torch.no_grad(), autocast(self.dev):
                tokens = self.model.vision(normalise(torch.cat(frames).to(self.dev))).bfloat16()
            for i, v in enumerate(missing):
                self.kept[id(v)] = tokens[i :: len(missing)]
        return torch.cat([self.kept[id(v)] for v in views])


def frozen_losses(seen: SeenFrames, collate: Collator, views: list[View], dev, a, meta) -> dict:
    with autocast(dev):
        sigma = (a.sigma_elements, a.sigma_candidates)
        return chat_losses(seen.model, collate(views), seen(views), meta, sigma)


def total(parts: dict, stages: list[float], dense: float) -> torch.Tensor:
    chat = sum(w * parts[name] for w, name in zip(stages, STAGES) if name in parts)
    return chat + dense * sum(value for name, value in parts.items() if name not in STAGES)


def main() -> None:
    p = stage_parser(__doc__, batch=16, lr=1e-3, save_minutes=4, lr_of="of the text model")
    p.add_argument("--held-out", nargs="*", default=[])
    p.add_argument("--init", type=Path, required=True)
    p.add_argument("--lr-vision", type=float, default=3e-4)
    p.add_argument("--freeze-vision", action="store_true")
    p.add_argument("--stage-weights", type=float, nargs=3, default=[1.0, 1.5, 0.3], help="of analyse, propose, decide")
    p.add_argument("--dense", type=float, default=0.5, help="weight of the dense losses")
    p.add_argument("--sigma-elements", type=float, default=0.012, help="soft labels, share of the side")
    p.add_argument("--sigma-candidates", type=float, default=0.035)
    p.add_argument("--sources", choices=["all", "photos", "scenes"], default="all")
    p.add_argument("--plain-share", type=float, default=0.0, help="batches that see the photo again, not the enhanced one")
    p.add_argument("--scene-share", type=float, help="of the batches; default: as many as there are")
    p.add_argument("--compile", action="store_true")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    dev = device()
    views, meta = load_views(a.data)
    views = [v for v in views if v.conversation and wanted(v, a.sources)]
    held_out = [v for v in load_views(a.held_out)[0] if v.conversation] if a.held_out else []
    start = torch.load(a.init, map_location="cpu")
    shape = ModelShape.from_dict(start["shape"])
    if shape.n_vocab != len(meta["vocabulary"]):
        raise SystemExit("the checkpoint has another vocabulary than the data; export the data again or start anew")
    model, heads = Nano(shape), DenseHeads(torch.tensor(meta["boxes"]), shape.text.n_embd)
    init_weights(model, meta["integerTokens"], a.seed)
    model.load_state_dict(start["model"])
    heads.load_state_dict(start["heads"])
    model.to(dev)
    heads.to(dev)
    if a.freeze_vision:
        model.vision.requires_grad_(False)
        heads.requires_grad_(False)
    seen = SeenFrames(model, dev) if a.freeze_vision else None
    kept = {"shape": shape.as_dict(), "meta": meta, "args": {k: str(v) for k, v in vars(a).items()}}
    optimisers = {
        "text_opt": (optimiser([model.text], a.lr), a.lr),
        "vision_opt": (optimiser([model.vision, heads], a.lr_vision), a.lr_vision),
    }
    loop = Loop(a, dev, {"model": model, "heads": heads}, optimisers, kept, curve_every=25)
    if a.compile:
        compile_blocks(model.vision.blocks, model.text.layers)
    rng = torch.Generator().manual_seed(a.seed + loop.step)
    collate, best = Collator(meta), BestBoxes(torch.tensor(meta["boxes"]))
    print(f"{len(views)} conversations, {len(held_out)} held out", flush=True)

    def step_losses(batch: list[View]) -> tuple[torch.Tensor, dict]:
        if seen:
            parts = frozen_losses(seen, collate, batch, dev, a, meta)
        else:
            parts = losses(model, heads, collate, batch, dev, a, meta, best, rng)
        return total(parts, a.stage_weights, a.dense), parts

    loop.run(
        mixed(views, a, loop.step),
        step_losses,
        clipped=[*model.parameters(), *heads.parameters()],
        measure=(lambda: measure(model, heads, collate, held_out, dev, a, meta, best)) if held_out else None,
    )


def mixed(views: list[View], a, step: int):
    """Endless batches; scenes and photos drawn by their share where one is asked for."""
    if a.scene_share is None:
        yield from batches(views, a.batch, a.seed + step)
    kinds = [batches([v for v in views if is_scene(v) == scene], a.batch, a.seed + step) for scene in (False, True)]
    rng = np.random.default_rng(a.seed + step)
    while True:
        yield next(kinds[int(rng.random() < a.scene_share)])


def is_scene(view: View) -> bool:
    return view.source.startswith("scene-")


def wanted(view: View, sources: str) -> bool:
    return sources == "all" or is_scene(view) == (sources == "scenes")


def measure(model, heads, collate, views, dev, a, meta, best) -> dict[str, float]:
    means = Means()
    with evaluating(model, heads):
        for part in once_through(views, a.batch):
            parts = losses(model, heads, collate, part, dev, a, meta, best)
            means.add({k: v.item() for k, v in parts.items()}, len(part))
    return means.values("held_")


if __name__ == "__main__":
    main()
