"""Every ratio asked of one photo at once: the conversation up to the proposal is one prefix, and each ratio a branch of its own
after it that sees the prefix and itself only. One pass teaches what would else take a conversation a ratio."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .model import grid_of, positions
from .place_labels import N_PLACES, RATIOS, PlaceLabels
from .shards import View

# What its place is told of an edge that moves, against one that is given by the ratio.
MOVING_WEIGHT, GIVEN_WEIGHT = 1.0, 0.15


@dataclass
class Branches:
    tokens: Tensor  # (B, T)
    pos: Tensor  # (B, 3, T)
    mask: Tensor  # (B, 1, T, T): what each token sees
    sample: Tensor  # (n,) of each label row
    at: Tensor  # (n,)
    weight: Tensor  # (n,)
    target: Tensor  # (n, n_vocab)


@dataclass(frozen=True)
class Crop:
    """The largest crop of a ratio in frame pixels, and how likely each start along its way should be."""

    axis: int
    width: int
    height: int
    starts: np.ndarray  # (room + 1,) probabilities


def crop_of(view: View, worth: np.ndarray, axis: int, length: float, temperature: float) -> Crop:
    if axis == 0:
        height_per_width = view.height / (length * view.width)
        width = round(length * view.width)
        while round(width * height_per_width) > view.height:
            width -= 1
        height = view.height
        room = view.width - width
    else:
        width, height = view.width, round(length * view.height)
        room = view.height - height
    values = np.interp(np.linspace(0, 1, room + 1), np.linspace(0, 1, N_PLACES), worth) / temperature
    p = np.exp(values - values.max())
    return Crop(axis, width, height, p / p.sum())


class Brancher:
    def __init__(self, meta: dict, temperature: float):
        vocabulary = meta["vocabulary"]
        self.token = {text: i for i, text in enumerate(vocabulary)}
        self.integers, self.image_pad, self.n_vocab = meta["integerTokens"], meta["imagePad"], len(vocabulary)
        self.temperature = temperature

    def prefix(self, view: View) -> list[int]:
        tokens = view.conversation["tokens"]
        return tokens[: tokens.index(self.token["propose "])]

    def prompt(self, ratio: str) -> list[int]:
        width, height = ratio.split(":")
        said = ["propose ", "5", " aspect ", width, ":", height, "<|im_end|>", "Ċ", "<|im_start|>", "assistant\n", '{"box":[']
        return [self.token[text] for text in said]

    def __call__(self, views: list[View], labels: list[PlaceLabels], rng: np.random.Generator, most: int = 6) -> Branches:
        rows, said = [], []
        comma = self.token[","]
        for b, (view, label) in enumerate(zip(views, labels)):
            ids = self.prefix(view)
            pos = positions(ids, self.image_pad, [grid_of(view.width, view.height)] * 2)
            group, places = [0] * len(ids), [pos]
            known = [r for r in range(len(RATIOS)) if label.axis[r] >= 0]
            for k, r in enumerate(rng.permutation(known)[:most]):
                crop = crop_of(view, label.worth[r].numpy(), int(label.axis[r]), float(label.length[r]), self.temperature)
                start = int(rng.choice(len(crop.starts), p=crop.starts))
                x1, y1 = (start, 0) if crop.axis == 0 else (0, start)
                branch = self.prompt(RATIOS[r])
                first = len(ids) + len(branch) - 1  # what predicts x1
                box = (x1, y1, x1 + crop.width)
                branch += [t for value in box for t in (self.integers[value], comma)][:-2]  # x2 is predicted, not read
                moving = {self.integers[i]: p for i, p in enumerate(crop.starts) if p > 1e-5}
                for n, value in enumerate(box):
                    is_moving = n == crop.axis
                    target = moving if is_moving else {self.integers[value]: 1.0}
                    rows.append((b, first + 2 * n, MOVING_WEIGHT if is_moving else GIVEN_WEIGHT, target))
                ids = ids + branch
                group += [k + 1] * len(branch)
                at = int(pos.max()) + 1 + torch.arange(len(branch))
                places.append(at.expand(3, -1))
            said.append((ids, torch.cat(places, dim=1), torch.tensor(group)))
        return self.batch(said, rows)

    def batch(self, said: list, rows: list) -> Branches:
        B, T = len(said), max(len(ids) for ids, _, _ in said)
        tokens = torch.full((B, T), self.token["<|endoftext|>"])
        pos = torch.zeros(B, 3, T, dtype=torch.long)
        mask = torch.zeros(B, 1, T, T, dtype=torch.bool)
        earlier = torch.ones(T, T, dtype=torch.bool).tril()
        for b, (ids, p, group) in enumerate(said):
            n = len(ids)
            tokens[b, :n], pos[b, :, :n] = torch.tensor(ids), p
            mask[b, 0, :n, :n] = earlier[:n, :n] & ((group[None] == 0) | (group[None] == group[:, None]))
            mask[b, 0, n:, 0] = True  # padding sees something, so that its softmax is one
        target = torch.zeros(len(rows), self.n_vocab)
        for i, (_, _, _, probabilities) in enumerate(rows):
            for token, p in probabilities.items():
                target[i, token] = p
        sample, at, weight = (torch.tensor([row[k] for row in rows]) for k in range(3))
        return Branches(tokens, pos, mask, sample, at, weight, target)
