"""Judged places: for a photo and a ratio, which of five places of the largest crop an editor would choose, and which never.
A line: {"file", "aspect", "best", "second", "bad": [...], "same"}."""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .places import FIVE, nearest

# What a place is worth: the best, the second, one nobody spoke of, an undeliverable one.
BEST, SECOND, OTHER, BAD = 1.0, 0.8, 0.3, -0.7


@dataclass(frozen=True)
class Judged:
    file: str
    aspect: str
    best: float
    second: float
    bad: tuple[float, ...]
    same: bool

    def worths(self) -> np.ndarray:
        """Of FIVE. Where it is all the same, only what is undeliverable differs."""
        return np.array([
            BAD if u in self.bad else BEST if u == self.best else SECOND if self.same or u == self.second else OTHER
            for u in FIVE
        ])  # fmt: skip


def read_judged(file: Path) -> list[Judged]:
    return [
        Judged(j["file"], j["aspect"], j["best"], j["second"], tuple(j["bad"]), j["same"])
        for j in map(json.loads, file.read_text().splitlines())
    ]


def figures(judged: list[Judged], places: list[float]) -> dict[str, list[float]]:
    """Of one place a judged photo: `bad` where some place is undeliverable, whether it lies nearest to one; `off` and
    `best` where places differ, its distance to the nearer of best and second, and whether the best is nearest to it."""
    out: dict[str, list[float]] = {"bad": [], "off": [], "best": []}
    for j, place in zip(judged, places):
        if j.bad:
            out["bad"].append(float(nearest(place) in j.bad))
        if not j.same:
            out["off"].append(min(abs(place - j.best), abs(place - j.second)))
            out["best"].append(float(nearest(place) == j.best))
    return out


def told(values: dict[str, list[float]], seed: int = 1) -> str:
    def one(v: list[float]) -> str:
        rng = np.random.default_rng(seed)
        means = [np.mean(rng.choice(v, len(v))) for _ in range(500)]
        return f"{np.mean(v):.3f} [{np.percentile(means, 2.5):.3f}, {np.percentile(means, 97.5):.3f}]"

    return "  ".join(f"{name} {one(v)}" for name, v in values.items())
