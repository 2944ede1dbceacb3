"""Stage 2b: proposals at fixed ratios, every ratio of a photo in one pass (ratio_branches.py), by the teacher's probability of
every place; beside them whole conversations. The tower goes on learning masks and places, or stays as it is (--freeze-vision),
which costs half and leaves what else the model can do as it was.

python -m nano.train_ratios --data shard [...] --places places.jsonl [...] --init run/places/last.pt --out run/ratios --minutes 30
python -m nano.train_ratios --data shard [...] --places places.jsonl [...] --model gguf/nano --freeze-vision --out run/ratios --minutes 30
"""
from pathlib import Path

import numpy as np
import torch

from .augment import recolour
from .conversations import Collator
from .dense import BestBoxes, dense_losses, teacher_scores
from .heads import DenseHeads
from .loop import Loop, stage_parser
from .model import Nano, normalise
from .place_labels import PlaceHead, PlaceLabels, place_losses, read_place_labels
from .ratio_branches import Brancher, Branches
from .run import autocast, device, optimiser
from .shapes import ModelShape
from .shards import View, batches, load_views, stack_frames, stack_maps
from .train_chat import chat_losses, is_scene, total
from .train_places import bundled


def branch_loss(model: Nano, branches: Branches, images: torch.Tensor, image_pad: int) -> torch.Tensor:
    """images (2B, T', E): photo and second image of each sample in turn. Cross-entropy less the target's own entropy."""
    dev = images.device
    tokens = branches.tokens.to(dev)
    x = model.text.embed(tokens)
    x = x.masked_scatter((tokens == image_pad)[..., None], images.flatten(0, 1).to(x.dtype))
    hidden = model.text(x, branches.pos.to(dev), mask=branches.mask.to(dev))
    logits = model.text.output(hidden[branches.sample.to(dev), branches.at.to(dev)]).float()
    target, weight = branches.target.to(dev), branches.weight.to(dev)
    row = -(target * logits.log_softmax(dim=1)).sum(dim=1) - torch.special.entr(target).sum(dim=1)
    return (row * weight).sum() / weight.sum()


def labels_of(view: View, labels: dict[str, PlaceLabels]) -> PlaceLabels | None:
    source, _, mirrored = view.source.partition("|")
    label = labels.get(source)
    return label.mirrored() if label is not None and mirrored else label


def begun(a, boxes: torch.Tensor) -> tuple[Nano, DenseHeads, PlaceHead]:
    """The model gone on from, and its heads; a GGUF pair has none, they start anew."""
    if a.model:
        model = bundled(a.model)
        return model, DenseHeads(boxes, model.shape.text.n_embd), PlaceHead(model.shape.text.n_embd)
    start = torch.load(a.init, map_location="cpu")
    model = Nano(ModelShape.from_dict(start["shape"]))
    parts = model, DenseHeads(boxes, model.shape.text.n_embd), PlaceHead(model.shape.text.n_embd)
    for part, name in zip(parts, ("model", "heads", "places")):
        part.load_state_dict(start[name])
    return parts


def main() -> None:
    p = stage_parser(__doc__, batch=8, lr=4e-4, save_minutes=4, lr_of="of the text model")
    p.add_argument("--places", nargs="+", required=True)
    start = p.add_mutually_exclusive_group(required=True)
    start.add_argument("--init", type=Path, help="a checkpoint of train_places")
    start.add_argument("--model", type=Path, help="a GGUF pair")
    p.add_argument("--freeze-vision", action="store_true")
    p.add_argument("--lr-vision", type=float, default=2e-4)
    p.add_argument("--chat-share", type=float, default=0.3, help="of the steps: whole conversations, and scenes' analyses")
    p.add_argument("--plain-share", type=float, default=0.4, help="of the rest: the photo again in place of the enhanced one")
    p.add_argument("--dense", type=float, default=0.5, help="weight of the tower's losses")
    p.add_argument("--temperature", type=float, default=0.15, help="worths as far apart as this are an e-fold")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    dev = device()
    labels = read_place_labels(a.places)
    views, meta = load_views(a.data)
    views = [v for v in views if v.conversation]
    model, heads, places = begun(a, torch.tensor(meta["boxes"]))
    for part in (model, heads, places):
        part.to(dev)
        if a.freeze_vision and part is not model:
            part.requires_grad_(False)
    model.vision.requires_grad_(not a.freeze_vision)
    kept = {"shape": model.shape.as_dict(), "meta": meta}
    optimisers = {
        "text_opt": (optimiser([model.text], a.lr), a.lr),
        "vision_opt": (optimiser([model.vision, heads, places], a.lr_vision), a.lr_vision),
    }
    loop = Loop(a, dev, {"model": model, "heads": heads, "places": places}, optimisers, kept, curve_every=20)
    rng, numbers = torch.Generator().manual_seed(a.seed + loop.step), np.random.default_rng(a.seed + loop.step)
    brancher, collate, best = Brancher(meta, a.temperature), Collator(meta), BestBoxes(torch.tensor(meta["boxes"]))
    placed = [v for v in views if (label := labels_of(v, labels)) is not None and (label.axis >= 0).any()]
    print(f"{len(views)} conversations, {len(placed)} photos with places", flush=True)

    def look(frames: torch.Tensor) -> torch.Tensor:
        with torch.set_grad_enabled(not a.freeze_vision):
            return model.vision(normalise(frames.to(dev)))

    def seen(batch: list[View], plain: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens of the photos (B, T', E), and of both images of each in turn (2B, T', E)."""
        photo = stack_frames(batch)
        frames = photo if plain else torch.cat((photo, stack_frames(batch, enhanced=True)), dim=2)
        frames = recolour(frames, rng)
        tokens = look(torch.cat(frames.split(photo.shape[2], dim=2)))
        n = len(batch)
        return tokens[:n], torch.stack((tokens[:n], tokens[-n:]), dim=1).flatten(0, 1)

    def chat(batch: list[View]) -> tuple[torch.Tensor, dict]:
        if batch[0].analysis_only:
            own = images = look(recolour(stack_frames(batch), rng))
        else:
            own, images = seen(batch, False)
        parts = chat_losses(model, collate(batch), images, meta, (0.012, 0.015))
        if not a.freeze_vision:
            scores = teacher_scores(batch)
            probabilities = None if scores is None else scores.softmax(dim=1)
            parts |= dense_losses(heads, own, batch, stack_maps(batch), probabilities, best)
        return total(parts, [1.0, 1.0, 1.0], a.dense), parts

    def ratios(batch: list[View]) -> tuple[torch.Tensor, dict]:
        mine = [labels_of(v, labels) for v in batch]
        own, images = seen(batch, bool(torch.rand((), generator=rng) < a.plain_share))
        loss = branch_loss(model, brancher(batch, mine, numbers), images, meta["imagePad"])
        if a.freeze_vision:
            return loss, {"ratios": loss}
        dense = place_losses(heads, places, own, batch[0], mine)
        return loss + a.dense * (sum(dense.values()) + 2 * dense.get("mask", 0)), {"ratios": loss, **dense}

    def step_losses(batch: list[View]) -> tuple[torch.Tensor, dict]:
        with autocast(dev):
            return ratios(batch) if batch.mode == "ratios" else chat(batch)

    loop.run(
        mixed(views, placed, a, loop.step),
        step_losses,
        clipped=[*model.parameters(), *heads.parameters(), *places.parameters()],
    )


class Batch(list):
    """Views, and what is learned of them: `ratios` or `chat`."""

    mode = "ratios"


def mixed(views: list[View], placed: list[View], a, step: int):
    photos = [v for v in views if not is_scene(v)]
    scenes = [v for v in views if is_scene(v)]
    rng = np.random.default_rng(a.seed + step)
    sources = [batches(part, a.batch, a.seed + step + k) for k, part in enumerate((placed, photos, scenes)) if part]
    shares = np.array([1 - a.chat_share, a.chat_share * (0.6 if scenes else 1), a.chat_share * 0.4][: len(sources)])
    while True:
        which = int(rng.choice(len(sources), p=shares / shares.sum()))
        batch = Batch(next(sources[which]))
        batch.mode = "ratios" if which == 0 else "chat"
        yield batch


if __name__ == "__main__":
    main()
