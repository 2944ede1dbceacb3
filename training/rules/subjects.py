"""Fits the weights by which the rules engine finds a photo's subject to boxes drawn by hand (subjects.json), from features
the engine itself dumped (subject-features.mjs).

    python training/rules/subjects.py <feature folder> --cv       mean IoU by 5-fold cross-validation
    python training/rules/subjects.py <feature folder> --write    fits on all photos, writes subject-weights.ts

A linear score of the standardised features; its softmax over a photo's boxes learns the softmax of their IoU with the drawn
box (listwise, KL), small subjects counting more. The box of highest expected IoU is taken. Needs numpy and torch.
"""
import argparse
import json
import pathlib

import numpy as np
import torch

# Differences of IoU as large as this count e-fold in the target.
TEMPERATURE = 0.05
WEIGHT_DECAY = 0.01
STEPS = 80
N_FOLDS = 5
LIKELIEST = 200
SMALL = 0.35
WEIGHTS_FILE = pathlib.Path(__file__).parents[2] / "src/engines/rules/subject/subject-weights.ts"


def iou(a, b):
    """Of boxes (..., 4) with boxes (..., 4)."""
    sides = [(torch.minimum(a[..., i + 2], b[..., i + 2]) - torch.maximum(a[..., i], b[..., i])).clamp(min=0) for i in (0, 1)]
    area = lambda box: (box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1])
    shared = sides[0] * sides[1]
    return shared / (area(a) + area(b) - shared)


def fit(features, overlap, areas):
    """Weights of the raw features, from features (photos, boxes, features), overlaps (photos, boxes) and the drawn boxes'
    areas (photos); a photo counts by one over the root of its subject's area."""
    importance = areas**-0.5 / (areas**-0.5).mean()
    mean, deviation = features.mean((0, 1)), features.std((0, 1)) + 1e-6
    standard = (features - mean) / deviation
    target = torch.softmax(overlap / TEMPERATURE, 1)
    weights = torch.zeros(features.shape[2], requires_grad=True)
    adam = torch.optim.Adam([weights], lr=0.03)
    for _ in range(STEPS):
        log_p = torch.log_softmax(standard @ weights, 1)
        loss = -((target * log_p).sum(1) * importance).mean() + WEIGHT_DECAY * (weights**2).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return (weights / deviation).detach()


def chosen(scores, boxes):
    """(index, expected IoU) of the box of highest expected IoU, of scores (boxes)."""
    top = scores.topk(LIKELIEST)
    p = torch.softmax(top.values, 0)
    expected = iou(boxes[top.indices][:, None], boxes[top.indices][None]) @ p
    best = expected.argmax()
    return top.indices[best], expected[best]


def cross_validate(features, overlap, areas, boxes):
    order = torch.from_numpy(np.random.RandomState(0).permutation(len(features)))
    found, expected = torch.zeros(len(features)), torch.zeros(len(features))
    for fold in range(N_FOLDS):
        held_out = order[fold::N_FOLDS]
        fitted = torch.tensor([i for i in order.tolist() if i not in set(held_out.tolist())])
        weights = fit(features[fitted], overlap[fitted], areas[fitted])
        for i in held_out:
            best, expected[i] = chosen(features[i] @ weights, boxes)
            found[i] = overlap[i, best]
    constant = overlap.mean(0).max()
    small = areas < SMALL
    correlation = np.corrcoef(found, expected)[0, 1]
    print(f"mean IoU {found.mean():.3f}, at least .5 in {(found >= 0.5).sum()} of {len(found)}, {found[small].mean():.3f} where the subject covers less than {SMALL}; expected IoU correlates {correlation:.2f}")
    print(f"floors: whole photo {overlap[:, boxes.tolist().index([0, 0, 1, 1])].mean():.3f}, best constant box {constant:.3f}; grid's best {overlap.max(1).values.mean():.3f}")


def write(weights, names):
    n_box = sum("." not in name for name in names)
    planes = weights[:-n_box].reshape(4, -1)
    row = lambda values: "[" + ", ".join(f"{value:.5g}" for value in values.tolist()) + "]"
    WEIGHTS_FILE.write_text(
        "// Written by training/rules/subjects.py; fitted to boxes drawn by hand, see there. Do not edit.\n\n"
        "/** For each of `PLANE_TERMS` a weight for each of `PLANE_NAMES`; then one for each of `BOX_TERMS`. */\n"
        "export const SUBJECT_WEIGHTS = {\n"
        f"  planes: [{', '.join(row(values) for values in planes)}],\n"
        f"  box: {row(weights[-n_box:])},\n"
        "};\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=pathlib.Path)
    parser.add_argument("--cv", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    meta = json.loads((options.features / "meta.json").read_text())
    boxes = torch.tensor(meta["boxes"])
    flat = np.fromfile(options.features / "features.f32", dtype=np.float32)
    features = torch.from_numpy(flat.reshape(len(meta["photos"]), len(boxes), len(meta["names"])))
    drawn = torch.tensor([photo["box"] for photo in meta["photos"]])
    overlap = iou(boxes[None], drawn[:, None])
    areas = (drawn[:, 2] - drawn[:, 0]) * (drawn[:, 3] - drawn[:, 1])
    if options.cv:
        cross_validate(features, overlap, areas, boxes)
    if options.write:
        write(fit(features, overlap, areas), meta["names"])


main()
