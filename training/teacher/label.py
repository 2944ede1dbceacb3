"""Has the teacher label a corpus: for each photo its subject, and what every place of the largest crop of each ratio is worth.

python -m teacher.label CORPUS --masks MASKS --teacher teacher.pickle [--judged corpus.jsonl] [--found found.jsonl] --out places.jsonl
CORPUS has an index.jsonl (a line a photo, `file` in it). Photos without a mask are told by the trees that need none.
A line: {"source", "mask": base64 of MASK_SIDE x MASK_SIDE bytes or null, "subject": [x1, y1, x2, y2] in shares or null,
"places": {"1:1": {"axis", "length", "worth": [33 numbers]}, ...}}; places.ts and nano/place_labels.py read it.
"""
import argparse
import base64
import json
import pickle
from pathlib import Path

import numpy as np
from scipy import ndimage

from .fit import Scorer, Scorers, smooth  # noqa: F401  (the pickle holds both)
from .judged import Judged, read_judged
from .photo import SIDE, Photo, corpus_files, mask_path, read_found, read_photo
from .places import FIVE, MANY, RATIOS, window

MASK_SIDE = 64
# What the judge said of this very photo and ratio against what the trees make of it.
JUDGE_SHARE = 0.6
# A crop longer than this has no room to be placed.
MOST_LENGTH = 0.97


def subject_box(photo: Photo) -> list[float] | None:
    """Around the mask's parts that are at least a tenth of its largest; shares of the sides."""
    if not photo.has_subject:
        return None
    labelled, n = ndimage.label(photo.mask > 0.5)
    sizes = ndimage.sum_labels(photo.mask > 0.5, labelled, range(1, n + 1))
    ys, xs = np.nonzero(np.isin(labelled, 1 + np.flatnonzero(sizes >= sizes.max() / 10)))
    return [round(float(v) / SIDE, 4) for v in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]


def blended(own: np.ndarray, judged: Judged | None) -> np.ndarray:
    if judged is None:
        return own
    said = smooth(np.interp(MANY, FIVE, judged.worths()))
    return JUDGE_SHARE * said + (1 - JUDGE_SHARE) * own


def line(source: str, photo: Photo, scorers: Scorers, judged: dict[str, Judged]) -> dict | None:
    movable = {ratio: w for ratio in RATIOS if (w := window(photo.width, photo.height, RATIOS[ratio])).length <= MOST_LENGTH}
    own = scorers.of_windows(photo, list(movable.values())) if movable else []
    places = {}
    for (ratio, w), scored in zip(movable.items(), own):
        worth = blended(scored, judged.get(ratio))
        places[ratio] = {"axis": w.axis, "length": round(w.length, 5), "worth": [round(float(v), 3) for v in worth]}
    if photo.mask is None and not places:
        return None
    mask = None
    if photo.mask is not None:
        small = photo.mask.reshape(MASK_SIDE, SIDE // MASK_SIDE, MASK_SIDE, SIDE // MASK_SIDE).mean(axis=(1, 3))
        mask = base64.b64encode((255 * small).round().astype(np.uint8).tobytes()).decode()
    return {"source": source, "mask": mask, "subject": subject_box(photo), "places": places}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("corpus", type=Path)
    p.add_argument("--masks", type=Path, required=True)
    p.add_argument("--teacher", type=Path, required=True)
    p.add_argument("--judged", type=Path)
    p.add_argument("--found", type=Path)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    with a.teacher.open("rb") as f:
        scorers: Scorers = pickle.load(f)
    judged: dict[str, dict[str, Judged]] = {}
    for j in read_judged(a.judged) if a.judged else []:
        judged.setdefault(j.file, {})[j.aspect] = j
    found = read_found(a.found)
    n = 0
    with a.out.open("w") as f:
        for file in corpus_files(a.corpus):
            photo = read_photo(a.corpus / file, mask_path(a.masks, file), found.get(file))
            said = line(file, photo, scorers, judged.get(file, {}))
            if said:
                f.write(json.dumps(said) + "\n")
                n += 1
                if n % 200 == 0:
                    print(n, flush=True)
    print(f"{n} photos labelled")


if __name__ == "__main__":
    main()
