"""Fits the teacher's scorer of places on judged places, and says by cross-validation what each source of knowledge adds.

python -m teacher.fit --judged corpus.jsonl --photos CORPUS --masks MASKS --found found.jsonl [--cv]
  [--test dev.jsonl --test-photos FLMS/images --test-masks FLMS/masks --test-found dev-found.jsonl] [--out teacher.pickle]
"""
import argparse
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from .features import GROUPS, features
from .judged import Judged, figures, read_judged, told
from .photo import Photo, mask_path, read_found, read_photo
from .places import FIVE, MANY, RATIOS, Window, window

SEEDS = 3
WITHOUT_MASK = "without mask, things"
SOURCES = {
    "all": GROUPS,
    "without objects, faces": tuple(g for g in GROUPS if g not in ("objects", "faces")),
    WITHOUT_MASK: tuple(g for g in GROUPS if g not in ("mask", "things")),
    "without gradient": tuple(g for g in GROUPS if g != "gradient"),
    "place alone": GROUPS[:1],
}


class Scorer:
    """Worth of places: the mean of trees grown from several seeds, smoothed along the way the crop can move."""

    def __init__(self, groups=GROUPS, seeds: int = SEEDS):
        self.groups, self.seeds, self.trees = groups, seeds, []

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Scorer":
        self.trees = [
            HistGradientBoostingRegressor(
                max_iter=220, learning_rate=0.05, max_leaf_nodes=12, min_samples_leaf=40, l2_regularization=5.0, random_state=seed
            ).fit(x, y)
            for seed in range(self.seeds)
        ]  # fmt: skip
        return self

    def __call__(self, photo: Photo, w: Window) -> np.ndarray:
        """(MANY,)"""
        return self.of_windows(photo, [w])[0]

    def of_windows(self, photo: Photo, ws: list[Window]) -> np.ndarray:
        """(windows, MANY). Left and right are alike to an editor: across, what the mirrored photo says counts as much."""
        mirrored = photo.mirrored()
        x = np.concatenate([features(p, w, MANY, self.groups) for p in (photo, mirrored) for w in ws])
        raw = np.mean([tree.predict(x) for tree in self.trees], axis=0).reshape(2, len(ws), len(MANY))
        return np.stack([smooth((own + (back[::-1] if w.axis == 0 else back)) / 2) for own, back, w in zip(*raw, ws)])


@dataclass
class Scorers:
    """For photos with a mask, and for those where nobody made one."""

    masked: Scorer
    unmasked: Scorer

    def of_windows(self, photo: Photo, ws: list[Window]) -> np.ndarray:
        return (self.unmasked if photo.mask is None else self.masked).of_windows(photo, ws)


def smooth(values: np.ndarray) -> np.ndarray:
    kernel = np.exp(-0.5 * (np.arange(-4, 5) / 2) ** 2)
    return np.convolve(np.pad(values, 4, mode="edge"), kernel / kernel.sum(), mode="valid")


def rows_of(photo: Photo, w: Window, judged: Judged, groups) -> tuple[np.ndarray, np.ndarray]:
    """Five places, and as many of the mirrored photo."""
    x = [features(photo, w, FIVE, groups), features(photo.mirrored(), w, FIVE if w.axis == 1 else 1 - FIVE, groups)]
    return np.concatenate(x), np.tile(judged.worths(), 2)


def read_all(judged: list[Judged], photos: Path, masks: Path | None, found: Path | None) -> list[Photo]:
    seen = read_found(found)
    return [read_photo(photos / j.file, masks and mask_path(masks, j.file), seen.get(j.file)) for j in judged]


def windows(judged: list[Judged], photos: list[Photo]) -> list[Window]:
    return [window(p.width, p.height, RATIOS[j.aspect]) for j, p in zip(judged, photos)]


def best_place(scores: np.ndarray) -> float:
    return float(MANY[scores.argmax()])


def cross_validated(judged, photos, ws, groups, folds: int = 5, seeds: int = 1) -> list[float]:
    """The place chosen for each, by trees that never saw its photo."""
    fold = np.random.default_rng(0).permutation(len(judged)) % folds
    rows = [rows_of(p, w, j, groups) for p, w, j in zip(photos, ws, judged)]
    out = [0.5] * len(judged)
    for k in range(folds):
        x, y = (np.concatenate([row[i] for row, f in zip(rows, fold) if f != k]) for i in (0, 1))
        scorer = Scorer(groups, seeds).fit(x, y)
        for i in np.flatnonzero(fold == k):
            out[i] = best_place(scorer(photos[i], ws[i]))
    return out


def fitted(judged, photos, ws, groups=GROUPS) -> Scorer:
    rows = [rows_of(p, w, j, groups) for p, w, j in zip(photos, ws, judged)]
    return Scorer(groups).fit(np.concatenate([r[0] for r in rows]), np.concatenate([r[1] for r in rows]))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--judged", type=Path, required=True)
    p.add_argument("--photos", type=Path, required=True)
    p.add_argument("--masks", type=Path, required=True)
    p.add_argument("--found", type=Path)
    p.add_argument("--test", type=Path, help="judged places never fitted on")
    p.add_argument("--test-photos", type=Path)
    p.add_argument("--test-masks", type=Path)
    p.add_argument("--test-found", type=Path)
    p.add_argument("--cv", action="store_true")
    p.add_argument("--out", type=Path)
    a = p.parse_args()
    every = read_judged(a.judged)
    judged = [j for j in every if mask_path(a.masks, j.file).exists()]
    photos = read_all(judged, a.photos, a.masks, a.found)
    ws = windows(judged, photos)
    print(f"{len(every)} judged, {len(judged)} of them with a mask")
    test = None
    if a.test:
        other = read_judged(a.test)
        theirs = read_all(other, a.test_photos, a.test_masks, a.test_found)
        test = other, theirs, windows(other, theirs)
    if a.cv:
        print("cross-validated, largest centre crop:", told(figures(judged, [0.5] * len(judged))))
        for name, groups in SOURCES.items():
            chosen = cross_validated(judged, photos, ws, groups)
            print(f"{name:24s} cross-validated {told(figures(judged, chosen))}", flush=True)
            if test:
                scorer = fitted(judged, photos, ws, groups)
                there = [best_place(scorer(p, w)) for p, w in zip(test[1], test[2])]
                print(f"{'':24s} test {told(figures(test[0], there))}", flush=True)
    if a.out:
        unmasked = SOURCES[WITHOUT_MASK]
        theirs = read_all(every, a.photos, None, a.found)
        scorers = Scorers(fitted(judged, photos, ws), fitted(every, theirs, windows(every, theirs), unmasked))
        with a.out.open("wb") as f:
            pickle.dump(scorers, f)


if __name__ == "__main__":
    main()
