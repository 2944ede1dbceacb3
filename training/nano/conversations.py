"""Conversations as tensors: tokens, positions, and at each place where the model decides, a distribution to match."""
from dataclasses import dataclass

import torch
from torch import Tensor

from .model import grid_of, positions
from .shards import View

STAGES = ("analyse", "propose", "decide")


@dataclass
class Labels:
    """Row i is about the logits at (sample[i], at[i])."""

    sample: Tensor  # (n,)
    at: Tensor  # (n,)
    stage: Tensor  # (n,) index into STAGES
    weight: Tensor  # (n,)
    token: Tensor  # (n,) the target token; -1 where `soft` has the row
    value: Tensor  # (n,) the number a coordinate stands for; -1 for other tokens
    side: Tensor  # (n,) largest value of that coordinate
    soft: list[tuple[int, dict[int, float]]]  # rows with probabilities of several tokens


@dataclass
class Batch:
    tokens: Tensor  # (B, T)
    pos: Tensor  # (B, 3, T)
    labels: Labels


class Collator:
    def __init__(self, meta: dict, first_candidate_weight: float = 3.0):
        self.pad = meta["vocabulary"].index("<|endoftext|>")
        self.image_pad = meta["imagePad"]
        self.value_of = {token: value for value, token in enumerate(meta["integerTokens"])}
        self.first_candidate_weight = first_candidate_weight

    def tokens_of(self, view: View) -> list[int]:
        """Where only the analysis is learned, nothing after it."""
        c = view.conversation
        return c["tokens"][: c["labels"][c["nLabels"][0] - 1][0] + 1] if view.analysis_only else c["tokens"]

    def __call__(self, views: list[View]) -> Batch:
        T = max(len(self.tokens_of(v)) for v in views)
        tokens = torch.full((len(views), T), self.pad)
        pos = torch.zeros(len(views), 3, T, dtype=torch.long)
        rows: dict[str, list] = {k: [] for k in ("sample", "at", "stage", "weight", "token", "value", "side")}
        soft = []
        for b, v in enumerate(views):
            ids = self.tokens_of(v)
            tokens[b, : len(ids)] = torch.tensor(ids)
            pos[b, :, : len(ids)] = positions(ids, self.image_pad, [grid_of(v.width, v.height)] * 2)
            for row in self.label_rows(v):
                if isinstance(row["token"], dict):
                    soft.append((len(rows["at"]), row["token"]))
                    row["token"] = -1
                rows["sample"].append(b)
                for k, value in row.items():
                    rows[k].append(value)
        return Batch(tokens, pos, Labels(**{k: torch.tensor(v) for k, v in rows.items()}, soft=soft))

    def label_rows(self, view: View):
        c = view.conversation
        stages = [s for s, n in enumerate(c["nLabels"]) for _ in range(n)]
        per_candidate, x_next, seen = 5, True, 0
        for (at, decision), stage in zip(c["labels"], stages):
            if view.analysis_only and stage > 0:
                return
            weight = 1.0
            if stage == 1:
                # What a judge looks at was drawn by lot and is not to be imitated.
                weight = 0.0 if c["kind"] == "judge" else self.first_candidate_weight if seen < per_candidate else 1.0
                seen += 1
            if isinstance(decision, dict):
                decision = {int(token): p for token, p in decision.items()}
                value = -1
            else:
                value = self.value_of.get(decision, -1)
            # Coordinates come in pairs, x first, from every word on.
            side = view.width if x_next else view.height
            x_next = not x_next if value >= 0 else True
            if weight > 0:
                yield {"at": at, "stage": stage, "weight": weight, "token": decision, "value": value, "side": side}


def target_rows(labels: Labels, n_vocab: int, integers: Tensor, sigma: tuple[float, float]) -> Tensor:
    """(n, n_vocab) distributions. A coordinate's is a Gaussian over the numbers 0..side around its value; `sigma` as
    shares of the side, for elements and for candidates."""
    n = len(labels.at)
    target = torch.zeros(n, n_vocab)
    hard = (labels.token >= 0) & (labels.value < 0)
    target[hard, labels.token[hard]] = 1.0
    coordinate = labels.value >= 0
    if coordinate.any():
        side = labels.side[coordinate][:, None].float()
        share = torch.tensor(sigma)[labels.stage[coordinate].clamp(max=1)][:, None]
        numbers = torch.arange(len(integers))[None].float()
        distance = (numbers - labels.value[coordinate][:, None]) / (share * side)
        rows = (-0.5 * distance.square()).masked_fill(numbers > side, -torch.inf).softmax(dim=1)
        full = torch.zeros(len(rows), n_vocab)
        full[:, integers] = rows
        target[coordinate] = full
    for row, probabilities in labels.soft:
        for token, p in probabilities.items():
            target[row, token] = p
    return target
