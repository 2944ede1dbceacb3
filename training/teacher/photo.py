"""What is known of a photo: its subject mask, its gradients, and what detectors found in it."""
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

SIDE = 128
# COCO's classes as YOLOX numbers them
PERSON, ANIMALS = 0, range(14, 24)
# What is no subject: the mask covers next to nothing, or nearly everything.
LEAST_SUBJECT, MOST_SUBJECT = 0.004, 0.6


@dataclass
class Photo:
    width: int
    height: int
    gradient: np.ndarray  # (SIDE, SIDE), of the photo stretched to a square
    mask: np.ndarray | None  # (SIDE, SIDE) 0..1; None where nobody looked
    objects: np.ndarray  # (n, 6): class, score, x1, y1, x2, y2
    faces: np.ndarray  # (n, 5): score, x1, y1, x2, y2

    @cached_property
    def has_subject(self) -> bool:
        return self.mask is not None and LEAST_SUBJECT <= float((self.mask > 0.5).mean()) <= MOST_SUBJECT

    @cached_property
    def things(self) -> list[np.ndarray]:
        """The mask's separate parts, largest first, at most four that are worth calling one."""
        if not self.has_subject:
            return []
        labelled, n = ndimage.label(ndimage.binary_dilation(self.mask > 0.5))
        parts = [(labelled == i) * self.mask for i in range(1, n + 1)]
        parts = [part for part in parts if part.sum() >= 0.002 * SIDE * SIDE]
        return sorted(parts, key=lambda part: -part.sum())[:4]

    def mirrored(self) -> "Photo":
        flip = lambda boxes: np.stack([*boxes.T[:-4], 1 - boxes[:, -2], boxes[:, -3], 1 - boxes[:, -4], boxes[:, -1]], axis=1)
        mask = None if self.mask is None else self.mask[:, ::-1]
        return Photo(self.width, self.height, self.gradient[:, ::-1], mask, flip(self.objects), flip(self.faces))


def read_photo(file: Path, mask_file: Path | None, found: dict | None) -> Photo:
    photo = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    grey = np.asarray(photo.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
    gy, gx = np.gradient(grey)
    mask = None
    if mask_file is not None and mask_file.exists():
        mask = np.asarray(Image.open(mask_file).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
    found = found or {"objects": [], "faces": []}
    as_rows = lambda rows, n: np.array(rows, np.float32).reshape(-1, n)
    return Photo(*photo.size, np.hypot(gx, gy), mask, as_rows(found["objects"], 6), as_rows(found["faces"], 5))


def read_found(file: Path | None) -> dict[str, dict]:
    """What detect.py wrote, by file."""
    return {} if file is None else {f["file"]: f for f in map(json.loads, file.read_text().splitlines())}


def corpus_files(corpus: Path) -> list[str]:
    """Of its index.jsonl, a line a photo."""
    return [json.loads(line)["file"] for line in (corpus / "index.jsonl").read_text().splitlines()]


def mask_path(folder: Path, file: str) -> Path:
    return folder / Path(file).with_suffix(".png")
