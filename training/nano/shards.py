"""What export.ts writes: frames, maps and crop scores as flat binary files, one JSON line a view."""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .heads import CELLS, MAPS
from .shapes import CELL


@dataclass
class View:
    """One photo as the model sees it, with everything said about it. Offsets in bytes, rows in the score file."""

    shard: "Shard"
    width: int
    height: int
    photo: int
    enhanced: int | None
    maps: int
    scores: int | None
    conversation: dict | None
    source: str
    elements: list[dict]

    @property
    def analysis_only(self) -> bool:
        """Nobody said what to crop: one image, one answer."""
        return self.conversation is not None and self.conversation["kind"] == "analyse"


class Shard:
    def __init__(self, folder: Path):
        self.folder = folder
        self.meta = json.loads((folder / "meta.json").read_text())
        self.frames = np.memmap(folder / "frames.u8", dtype=np.uint8, mode="r")
        self.map_bytes = np.memmap(folder / "maps.u8", dtype=np.uint8, mode="r")
        scores = folder / "scores.f32"
        n_boxes = len(self.meta["boxes"])
        self.scores = np.memmap(scores, dtype=np.float32, mode="r").reshape(-1, n_boxes) if scores.stat().st_size else None
        self.views = []
        for line in (folder / "views.jsonl").read_text().splitlines():
            v = json.loads(line)
            self.views.append(
                View(self, v["width"], v["height"], v["photo"], v.get("enhanced"), v["maps"], v.get("scores"),
                     v.get("conversation"), v["source"], v["elements"])
            )


def load_views(folders: list[str]) -> tuple[list[View], dict]:
    shards = [Shard(Path(folder)) for folder in folders]
    first = shards[0].meta
    for shard in shards[1:]:
        for key in ("vocabulary", "promptVersion", "boxes"):
            if shard.meta[key] != first[key]:
                raise ValueError(f"{shard.folder} was exported with another {key} than {shards[0].folder}")
    return [view for shard in shards for view in shard.views], first


def frame(view: View, offset: int) -> np.ndarray:
    n = 3 * view.width * view.height
    return view.shard.frames[offset : offset + n].reshape(view.height, view.width, 3)


def maps(view: View) -> np.ndarray:
    shape = (len(MAPS), view.height // CELL * CELLS, view.width // CELL * CELLS)
    return view.shard.map_bytes[view.maps : view.maps + int(np.prod(shape))].reshape(shape)


def of_one_shape(views: list[View]) -> dict[tuple[int, int, bool], list[View]]:
    """By frame size and kind, in order: what fits one batch."""
    groups: dict[tuple[int, int, bool], list[View]] = {}
    for v in views:
        groups.setdefault((v.height, v.width, v.analysis_only), []).append(v)
    return groups


def batches(views: list[View], size: int, seed: int):
    """Endless batches of views of one frame size and one kind each, every view once an epoch, in another order each
    time. Views of which only the analysis is learned cost less than half, so twice as many make a batch."""
    rng = np.random.default_rng(seed)
    while True:
        starts = []
        for (_, _, analysis_only), group in of_one_shape([views[i] for i in rng.permutation(len(views))]).items():
            n = 2 * size if analysis_only else size
            # A rest smaller than half a batch waits for the next epoch's shuffle: it would be one noisy step.
            starts += [group[at : at + n] for at in range(0, len(group), n) if len(group) - at >= n // 2]
        for i in rng.permutation(len(starts)):
            yield starts[i]


def once_through(views: list[View], size: int):
    """Batches as of `batches`, every view once, in order."""
    for group in of_one_shape(views).values():
        yield from (group[at : at + size] for at in range(0, len(group), size))


def stack_frames(views: list[View], enhanced: bool = False) -> Tensor:
    """(B, H, W, 3) uint8"""
    return torch.from_numpy(np.stack([frame(v, v.enhanced if enhanced else v.photo) for v in views]))


def stack_maps(views: list[View]) -> Tensor:
    return torch.from_numpy(np.stack([maps(v) for v in views])).float() / 255
