"""Human crops, the engine's dumped features, and the figures papers print. Needs numpy."""
import dataclasses
import json

import numpy as np


@dataclasses.dataclass
class Data:
    features: np.ndarray  # (photo, box, feature) float32
    boxes: np.ndarray     # (box, 4), fractions of the sides
    mirror: np.ndarray    # index of each box's mirror image
    mirror_feature: np.ndarray  # what mirroring the photo does to the features: index ...
    complement: np.ndarray      # ... and which become one minus themselves
    humans: list          # a photo each: (annotator, 4)
    overlap: list         # a photo each: (box, annotator) IoU
    names: list           # of the features


def iou(a, b):
    """(n, 4) and (m, 4) -> (n, m)."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared = np.clip(width, 0, None) * np.clip(height, 0, None)
    area = lambda box: (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    return shared / (area(a)[:, None] + area(b)[None] - shared)


def displacement(a, b):
    """Boundary displacement of boxes in fractions of the sides."""
    return np.abs(a[:, None] - b[None]).sum(2) / 4


def mirrored(boxes):
    """(n, 4) in fractions of the sides."""
    return boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]


def load(crops_path, features_path):
    meta = json.loads((features_path / 'meta.json').read_text())
    boxes = np.array(meta['boxes'])
    crops = json.loads(crops_path.read_text())
    humans = [np.array(crops[name]['crops_xyxy_normalised_clean']) for name in meta['photos']]
    shape = (len(humans), len(boxes), len(meta['names']))
    return Data(np.fromfile(features_path / 'features.f32', np.float32).reshape(shape), boxes,
                iou(mirrored(boxes), boxes).argmax(1), np.array(meta['mirror']['index']), np.array(meta['mirror']['complement']),
                humans, [iou(boxes, human) for human in humans], meta['names'])


def folds(n_photos, n_folds, seed):
    fold = np.zeros(n_photos, int)
    fold[np.random.RandomState(seed).permutation(n_photos)] = np.arange(n_photos) % n_folds
    return fold


def choose(data, log_probabilities):
    """The grid box of highest expected IoU under softmax(log_probabilities), a photo each: (photo, 4)."""
    p = np.exp(log_probabilities - log_probabilities.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return data.boxes[(p @ iou(data.boxes, data.boxes)).argmax(1)]


def figures(chosen, humans):
    """(photo, 4): best IoU, BDE of that annotator, best IoU >= .75, mean IoU."""
    rows = []
    for box, human in zip(chosen, humans):
        overlap = iou(box[None], human)[0]
        distance = displacement(box[None], human)[0]
        best = overlap.max()
        rows.append((best, distance[overlap >= best - 1e-12].min(), best >= 0.75, overlap.mean()))
    return np.array(rows, float)


def print_figures(label, chosen, humans, n_resamples=2000):
    rows = figures(chosen, humans)
    rng = np.random.RandomState(0)
    samples = rows[rng.randint(len(rows), size=(n_resamples, len(rows)))].mean(1)
    low, high = np.percentile(samples, [2.5, 97.5], axis=0)
    names = ('best IoU', 'BDE', 'recall', 'mean IoU')
    text = '  '.join(f'{n} {m:.4f} [{l:.4f}, {h:.4f}]' for n, m, l, h in zip(names, rows.mean(0), low, high))
    print(f'{label}: {text}', flush=True)


def print_floors(data):
    humans = data.humans
    same = lambda box: np.tile(box, (len(humans), 1))
    mean = np.array([o.mean(1) for o in data.overlap])
    best = np.array([o.max(1) for o in data.overlap])
    print_figures('full image', same([0.0, 0.0, 1.0, 1.0]), humans)
    print_figures('centre 0.90', same([0.05, 0.05, 0.95, 0.95]), humans)
    print_figures('best constant box by best IoU', same(data.boxes[best.mean(0).argmax()]), humans)
    print_figures('best constant box by mean IoU', same(data.boxes[mean.mean(0).argmax()]), humans)
    print_figures('oracle over the grid by best IoU', data.boxes[best.argmax(1)], humans)
    print_figures('oracle over the grid by mean IoU', data.boxes[mean.argmax(1)], humans)
