"""Photographs whose subject is known exactly: subjects cut out with their masks and pasted, scaled, moved, mirrored and fitted
to the light, onto photos without one; small, off-centre, near edges, several, and some without any.

python -m teacher.paste CORPUS --masks MASKS --out run/pasted --count 2500
Writes photos (long side 384), `masks/` and an index.jsonl: a corpus like any other.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from .photo import corpus_files, mask_path

LONG_SIDE = 384
# A cut-out's mask covers this much of its photo: less is a speck, more leaves no outline.
LEAST_CUT, MOST_CUT = 0.01, 0.35
BACKGROUND_MOST = 0.01  # share of a background its own mask may cover


def read_mask(masks: Path, file: str) -> np.ndarray | None:
    path = mask_path(masks, file)
    return np.asarray(Image.open(path).convert("L"), np.float32) / 255 if path.exists() else None


def is_whole(mask: np.ndarray) -> bool:
    """Not cut by the photo's own side, and sure of itself."""
    on = mask > 0.5
    border = np.concatenate((on[0], on[-1], on[:, 0], on[:, -1])).mean()
    unsure = ((mask > 0.15) & (mask < 0.85)).sum() / max(1, on.sum())
    return border < 0.02 and unsure < 0.25


def cut_out(photo: Image.Image, mask: np.ndarray) -> Image.Image:
    """RGBA, as small as its subject."""
    alpha = Image.fromarray((255 * mask).astype(np.uint8)).resize(photo.size, Image.Resampling.BILINEAR)
    out = photo.convert("RGBA")
    out.putalpha(alpha.point(lambda v: 0 if v < 60 else min(255, round((v - 60) * 1.4))))
    return out.crop(alpha.point(lambda v: 255 if v > 127 else 0).getbbox())


def fit_light(cut: Image.Image, ground: Image.Image, at: tuple[int, int]) -> Image.Image:
    """Half of the way to the brightness around the place."""
    x, y = at
    around = ground.crop((max(0, x), max(0, y), min(ground.width, x + cut.width), min(ground.height, y + cut.height)))
    pixels = np.asarray(cut, np.float32).copy()
    solid = pixels[..., 3] > 200
    if not solid.any():
        return cut
    own, there = pixels[..., :3][solid].mean(), np.asarray(around.convert("RGB"), np.float32).mean()
    pixels[..., :3] = np.clip(pixels[..., :3] * np.clip(1 + 0.5 * (there / max(own, 1) - 1), 0.7, 1.4), 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


def place(ground: Image.Image, mask: Image.Image, cut: Image.Image, rng: np.random.Generator) -> None:
    """Pastes it in, in place: mostly small, anywhere, a third near an edge."""
    size = ground.width * ground.height
    share = float(np.exp(rng.uniform(np.log(0.008), np.log(0.16))))
    scale = min((share * size / (cut.width * cut.height)) ** 0.5, 1.3, 0.9 * ground.width / cut.width, 0.9 * ground.height / cut.height)
    cut = cut.resize([max(4, round(n * scale)) for n in cut.size], Image.Resampling.LANCZOS)
    if rng.random() < 0.5:
        cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    near = rng.random() < 0.33
    room = [max(0, g - c) for g, c in zip(ground.size, cut.size)]
    spot = [rng.choice([rng.beta(1, 8), rng.beta(8, 1)]) if near else rng.random() for _ in room]
    if near and rng.random() < 0.5:
        spot[int(rng.integers(2))] = rng.random()
    at = tuple(round(r * s) for r, s in zip(room, spot))
    alpha = cut.getchannel("A").filter(ImageFilter.GaussianBlur(0.6))
    ground.paste(fit_light(cut, ground, at).convert("RGB"), at, alpha)
    mask.paste(255, (*at, at[0] + cut.width, at[1] + cut.height), alpha)


def small(photo: Image.Image) -> Image.Image:
    photo = photo.convert("RGB")
    photo.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    return photo


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("corpus", type=Path)
    p.add_argument("--masks", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--count", type=int, default=2500)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    files = corpus_files(a.corpus)
    masks = {file: mask for file in files if (mask := read_mask(a.masks, file)) is not None}
    share = {file: float((mask > 0.5).mean()) for file, mask in masks.items()}
    subjects = [file for file in masks if LEAST_CUT <= share[file] <= MOST_CUT and is_whole(masks[file])]
    grounds = [file for file in masks if share[file] <= BACKGROUND_MOST and masks[file].max() < 0.6 or share[file] == 0]
    print(f"{len(subjects)} subjects, {len(grounds)} backgrounds")
    rng = np.random.default_rng(a.seed)
    (a.out / "masks").mkdir(parents=True, exist_ok=True)
    with (a.out / "index.jsonl").open("w") as index:
        for n in range(a.count):
            ground = small(Image.open(a.corpus / str(rng.choice(grounds))))
            if rng.random() < 0.5:
                ground = ground.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mask = Image.new("L", ground.size)
            for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.08, 0.68, 0.16, 0.08]))):
                file = str(rng.choice(subjects))
                place(ground, mask, cut_out(small(Image.open(a.corpus / file)), masks[file]), rng)
            ground.save(a.out / f"{n:05d}.jpg", quality=90)
            mask.resize((256, 256), Image.Resampling.BILINEAR).save(a.out / "masks" / f"{n:05d}.png")
            index.write(json.dumps({"file": f"{n:05d}.jpg"}) + "\n")


if __name__ == "__main__":
    main()
