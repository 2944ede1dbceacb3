"""The losses of the dense heads on what the tower sees in a batch of photos."""
import torch
import torch.nn.functional as F
from torch import Tensor

from .heads import BOX_KINDS, ELEMENT_KINDS, LINE_KINDS, SUMMARISED, DenseHeads, crop_loss, edge_loss, map_loss
from .shapes import CELL
from .shards import View


class BestBoxes:
    """The grid box of greatest expected IoU under the teacher's distribution, as `expectedIou` in TypeScript takes it."""

    def __init__(self, boxes: Tensor):
        self.boxes = boxes
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        shared = (high - low).clamp(min=0).prod(dim=2)
        self.iou = shared / (area[:, None] + area[None] - shared)

    def __call__(self, probabilities: Tensor) -> Tensor:
        """(B, n_boxes) -> (B, 4) in 0..1"""
        return self.boxes.to(probabilities.device)[(probabilities @ self.iou.to(probabilities.device)).argmax(dim=1)]


def dense_losses(
    heads: DenseHeads, tokens: Tensor, views: list[View], maps: Tensor, probabilities: Tensor | None, best: BestBoxes,
    mirrored: bool = False,
) -> dict[str, Tensor]:  # fmt: skip
    """tokens (B, T, E) of the photos; maps as they are to be seen; the teacher's probabilities (n, n_boxes) of those views
    that have scores, in order. `mirrored`: the photos were flipped, and maps and probabilities with them."""
    dev = tokens.device
    rows, columns = views[0].height // CELL, views[0].width // CELL
    out = {"maps": map_loss(heads.map_logits(tokens, rows, columns), maps.to(dev))}
    edges, kinds = heads.summary(tokens)
    present = torch.tensor([[any(e["type"] == k for e in v.elements) for k in ELEMENT_KINDS] for v in views])
    out["kinds"] = F.binary_cross_entropy_with_logits(kinds, present.float().to(dev))
    out |= known_edges("subject", edges, {"subject": [subject_of(v, mirrored) for v in views]})
    if not mirrored:  # where the ends of a line may change places
        out |= known_edges("lines", edges, {kind: [first_line(v, kind) for v in views] for kind in LINE_KINDS})
    if probabilities is not None:
        scored = [i for i, v in enumerate(views) if v.scores is not None]
        target = probabilities.to(dev)
        out["crop"] = crop_loss(heads.crop(tokens[scored]), target)
        out["edges"] = edge_loss(edges[scored, SUMMARISED.index("crop")], best(target))
    return out


def teacher_scores(views: list[View]) -> Tensor | None:
    """(n, n_boxes) log-probabilities of those views that have them."""
    rows = [torch.from_numpy(v.shard.scores[v.scores].copy()) for v in views if v.scores is not None]
    return torch.stack(rows) if rows else None


def known_edges(name: str, edges: Tensor, wanted: dict[str, list]) -> dict[str, Tensor]:
    """The mean loss over what there is of these: for each of SUMMARISED four numbers a view, or None."""
    known = [
        (i, SUMMARISED.index(what), four)
        for what, fours in wanted.items()
        for i, four in enumerate(fours)
        if four is not None
    ]
    if not known:
        return {}
    at, which, fours = map(list, zip(*known))
    return {name: edge_loss(edges[at, which], torch.tensor(fours, device=edges.device))}


def subject_of(view: View, mirrored: bool) -> list[float] | None:
    """Of the first subject, in 0..1."""
    box = next((e["box"] for e in view.elements if e["type"] in BOX_KINDS), None)
    if box is None:
        return None
    x1, y1, x2, y2 = as_shares(box, view)
    return [1 - x2, y1, 1 - x1, y2] if mirrored else [x1, y1, x2, y2]


def first_line(view: View, kind: str) -> list[float] | None:
    line = next((e["line"] for e in view.elements if e["type"] == kind), None)
    return None if line is None else as_shares(line, view)


def as_shares(four: list[float], view: View) -> list[float]:
    return [four[0] / view.width, four[1] / view.height, four[2] / view.width, four[3] / view.height]
