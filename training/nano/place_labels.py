"""What training/teacher/label.py says of photos, as tensors for the tower: subject masks, subject boxes, worth of places."""
import base64
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .heads import CELLS, MAPS, SUMMARISED, DenseHeads, edge_loss
from .shapes import CELL
from .shards import View

RATIOS = ("1:1", "4:5", "5:4", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16")
N_PLACES = 33
MASK_SIDE = 64


class PlaceLabels:
    """`mask` (MASK_SIDE, MASK_SIDE) 0..1 or None; `subject` (4,) in shares or None; `worth` (RATIOS, N_PLACES) `axis`
    and `length` (RATIOS,), NaN and -1 where nothing is known of a ratio."""

    def __init__(self, line: dict):
        self.mask = None
        if line["mask"] is not None:
            bytes_ = np.frombuffer(base64.b64decode(line["mask"]), np.uint8)
            self.mask = torch.from_numpy(bytes_.reshape(MASK_SIDE, MASK_SIDE).copy()).float() / 255
        self.subject = line["subject"]
        self.worth = torch.full((len(RATIOS), N_PLACES), torch.nan)
        self.axis = torch.full((len(RATIOS),), -1)
        self.length = torch.zeros(len(RATIOS))
        for ratio, places in line["places"].items():
            self.worth[RATIOS.index(ratio)] = torch.tensor(places["worth"])
            self.axis[RATIOS.index(ratio)] = places["axis"]
            self.length[RATIOS.index(ratio)] = places["length"]

    def mirrored(self) -> "PlaceLabels":
        out = object.__new__(PlaceLabels)
        out.mask = None if self.mask is None else self.mask.flip(1)
        x1, y1, x2, y2 = self.subject or (0, 0, 0, 0)
        out.subject = self.subject and [1 - x2, y1, 1 - x1, y2]
        out.worth = torch.where((self.axis == 0)[:, None], self.worth.flip(1), self.worth)
        out.axis, out.length = self.axis, self.length
        return out


def read_place_labels(files: list[str]) -> dict[str, PlaceLabels]:
    lines = (json.loads(line) for file in files for line in Path(file).read_text().splitlines())
    return {line["source"]: PlaceLabels(line) for line in lines}


class PlaceHead(nn.Module):
    """What the mean of the image tokens says in one linear step: the best place of each ratio's largest crop, and whether
    the photo has one subject at all."""

    def __init__(self, n_embd: int):
        super().__init__()
        self.places = nn.Linear(n_embd, len(RATIOS) * N_PLACES)
        self.is_of_something = nn.Linear(n_embd, 1)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, E) -> logits (B, RATIOS, N_PLACES), (B,)"""
        mean = tokens.float().mean(dim=1)
        return self.places(mean).view(-1, len(RATIOS), N_PLACES), self.is_of_something(mean)[:, 0]


def place_losses(
    heads: DenseHeads, places: PlaceHead, tokens: Tensor, view: View, labels: list[PlaceLabels], temperature: float = 0.15
) -> dict[str, Tensor]:  # fmt: skip
    """Of a batch of one frame size, `view` being any of it. `temperature` makes probabilities of worths."""
    out = {}
    logits, something = places(tokens)
    worth = torch.stack([label.worth for label in labels])
    known = ~worth[..., 0].isnan()
    if known.any():
        target = (worth[known] / temperature).softmax(dim=-1)
        out["places"] = F.kl_div(logits[known].log_softmax(dim=-1), target, reduction="batchmean")
    masked = [i for i, label in enumerate(labels) if label.mask is not None]
    if masked:
        rows, columns = view.height // CELL * CELLS, view.width // CELL * CELLS
        masks = torch.stack([labels[i].mask for i in masked])[:, None]
        target = F.interpolate(masks, (rows, columns), mode="area")[:, 0]
        seen = heads.map_logits(tokens[masked], rows // CELLS, columns // CELLS)[:, MAPS.index("subject")]
        weight = 1 + 3 * target
        out["mask"] = (weight * F.binary_cross_entropy_with_logits(seen, target, reduction="none")).mean()
        of = torch.tensor([float(labels[i].subject is not None) for i in masked])
        out["something"] = F.binary_cross_entropy_with_logits(something[masked], of)
    boxed = [i for i, label in enumerate(labels) if label.subject is not None]
    if boxed:
        edges, _ = heads.summary(tokens[boxed])
        subjects = torch.tensor([labels[i].subject for i in boxed])
        out["subject"] = edge_loss(edges[:, SUMMARISED.index("subject")], subjects)
    return out
