"""Parts of photos as photos of their own, with their masks and what was found in them: subjects off the centre, near edges,
larger, where the teacher says anew what every place is worth.

python -m teacher.cuts CORPUS --masks MASKS --found found.jsonl --out run/cuts --each 2
Writes photos (long side 384), `masks/`, `found.jsonl` and an index.jsonl: a corpus like any other.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .paste import read_mask, small
from .photo import corpus_files, mask_path, read_found

ASPECTS = (3 / 2, 4 / 3, 1, 3 / 4, 2 / 3, 16 / 9, 9 / 16)
LEAST_AREA, MOST_AREA = 0.35, 0.8
LEAST_SHOWN = 0.6  # of a detector's box, or it is not said


def part(width: int, height: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 in shares of the sides."""
    wanted = float(rng.choice(ASPECTS)) * height / width  # of the shares
    area = float(rng.uniform(LEAST_AREA, MOST_AREA))
    w, h = min(1.0, (area * wanted) ** 0.5), min(1.0, (area / wanted) ** 0.5)
    x, y = float(rng.uniform(0, 1 - w)), float(rng.uniform(0, 1 - h))
    return x, y, x + w, y + h


def moved(rows: list[list[float]], box: tuple[float, float, float, float]) -> list[list[float]]:
    """A detector's rows, whose last four numbers are a box, as seen in the part."""
    x1, y1, x2, y2 = box
    out = []
    for *head, a, b, c, d in rows:
        left, top, right, bottom = max(a, x1), max(b, y1), min(c, x2), min(d, y2)
        if right > left and bottom > top and (right - left) * (bottom - top) >= LEAST_SHOWN * (c - a) * (d - b):
            inside = ((left - x1) / (x2 - x1), (top - y1) / (y2 - y1), (right - x1) / (x2 - x1), (bottom - y1) / (y2 - y1))
            out.append([*head, *(round(v, 4) for v in inside)])
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("corpus", type=Path)
    p.add_argument("--masks", type=Path, required=True)
    p.add_argument("--found", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--each", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    rng = np.random.default_rng(a.seed)
    found = read_found(a.found)
    (a.out / "masks").mkdir(parents=True, exist_ok=True)
    n = 0
    with (a.out / "index.jsonl").open("w") as index, (a.out / "found.jsonl").open("w") as seen:
        for file in corpus_files(a.corpus):
            if not mask_path(a.masks, file).exists():
                continue
            photo = ImageOps.exif_transpose(Image.open(a.corpus / file)).convert("RGB")
            photo.thumbnail((1024, 1024), Image.Resampling.LANCZOS)
            mask = Image.fromarray((255 * read_mask(a.masks, file)).astype(np.uint8))
            for _ in range(a.each):
                box = part(*photo.size, rng)
                cut = lambda image: image.crop(tuple(round(v * side) for v, side in zip(box, image.size * 2)))
                stem = f"cut-{n:05d}"
                small(cut(photo)).save(a.out / f"{stem}.jpg", quality=90)
                cut(mask).resize((256, 256), Image.Resampling.BILINEAR).save(a.out / "masks" / f"{stem}.png")
                what = {kind: moved(found[file][kind], box) for kind in ("objects", "faces")}
                seen.write(json.dumps({"file": f"{stem}.jpg", **what}) + "\n")
                index.write(json.dumps({"file": f"{stem}.jpg"}) + "\n")
                n += 1
    print(f"{n} parts")


if __name__ == "__main__":
    main()
