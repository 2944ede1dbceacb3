"""What is measured of a place: numbers a tree can weigh. Every group can be left out, to see what it adds."""
import numpy as np

from .photo import ANIMALS, PERSON, SIDE, Photo
from .places import Window

GROUPS = ("place", "gradient", "mask", "things", "objects", "faces")


def features(photo: Photo, w: Window, places: np.ndarray, groups=GROUPS) -> np.ndarray:
    """(places, n)"""
    a, b = w.spans(places)
    columns: list[np.ndarray] = []
    if "place" in groups:
        columns += [places, np.abs(places - 0.5), np.full_like(places, w.length), np.full_like(places, w.axis)]
        columns.append(np.full_like(places, np.log(photo.width / photo.height)))
    if "gradient" in groups:
        columns += mass_features(profile(photo.gradient, w), a, b)
    if "mask" in groups:
        columns += mask_features(photo, w, a, b)
    if "things" in groups:
        columns += thing_features(photo, w, a, b)
    if "objects" in groups:
        columns += box_features(people(photo), w, a, b) + box_features(animals(photo), w, a, b) + box_features(others(photo), w, a, b)
    if "faces" in groups:
        columns += box_features(photo.faces, w, a, b)
    return np.stack(columns, axis=1)


def profile(plane: np.ndarray, w: Window) -> np.ndarray:
    return plane.mean(axis=0 if w.axis == 0 else 1)


def held(line: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Share of a profile's sum inside each span."""
    total = np.concatenate(([0], np.cumsum(line)))
    at = np.arange(len(total)) / len(line)
    return (np.interp(b, at, total) - np.interp(a, at, total)) / max(total[-1], 1e-9)


def at_edge(line: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The profile where a span ends; 0 at the photo's own side, where nothing is cut."""
    smooth = np.convolve(np.pad(line, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    value = np.interp(x, (np.arange(len(line)) + 0.5) / len(line), smooth)
    return np.where((x < 0.004) | (x > 0.996), 0, value)


def mass_features(line: np.ndarray, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    mean = max(float(line.mean()), 1e-9)
    centre = float((line * (np.arange(len(line)) + 0.5)).sum() / line.sum()) / len(line) if line.sum() > 0 else 0.5
    return [held(line, a, b), at_edge(line, a) / mean, at_edge(line, b) / mean, (centre - a) / (b - a)]


def mask_features(photo: Photo, w: Window, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Held, cut at either edge, where its centre and its ends come to lie, its size; NaN where there is no subject."""
    if not photo.has_subject:
        share = np.nan if photo.mask is None else float(photo.mask.mean())
        return [np.full_like(a, np.nan)] * 10 + [np.full_like(a, share)]
    line = profile(photo.mask, w)
    total = np.cumsum(line) / line.sum()
    low, middle, high = np.interp([0.02, 0.5, 0.98], total, (np.arange(SIDE) + 1) / SIDE)
    length = b - a
    size = (high - low) / length
    return [
        held(line, a, b), at_edge(line, a), at_edge(line, b), (middle - a) / length, np.abs((middle - a) / length - 0.5),
        (low - a) / length, (b - high) / length, np.minimum(low - a, b - high) / length, size,
        held(line, a, b) - held(line, a, b).max(), np.full_like(a, float(photo.mask.mean())),
    ]  # fmt: skip


def thing_features(photo: Photo, w: Window, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Of separate things: how much is cut of the one cut worst, and of all by size; and whether the largest is whole."""
    things = photo.things
    if not things:
        return [np.full_like(a, np.nan)] * 4
    shares = np.stack([held(profile(t, w), a, b) for t in things])  # (things, places)
    size = np.array([t.sum() for t in things])
    cut = 4 * shares * (1 - shares)
    weight = (size / size.sum())[:, None]
    return [cut.max(axis=0), (cut * weight).sum(axis=0), shares[0], np.full_like(a, len(things))]


def box_features(boxes: np.ndarray, w: Window, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Of boxes whose last four columns are x1, y1, x2, y2: how many, how much of them is held, the worst cut, the least
    margin of what is mostly inside, and the largest one's place."""
    if len(boxes) == 0:
        return [np.zeros_like(a), *[np.full_like(a, np.nan)] * 5]
    x1, y1, x2, y2 = boxes[:, -4:].T
    low, high = ((x1, x2) if w.axis == 0 else (y1, y2))
    area = (x2 - x1) * (y2 - y1) + 1e-6
    share = np.clip(np.minimum(high[:, None], b) - np.maximum(low[:, None], a), 0, None) / (high - low + 1e-6)[:, None]
    weight = np.sqrt(area)[:, None]
    cut = 4 * share * (1 - share)
    margin = np.minimum(low[:, None] - a, b - high[:, None]) / w.length
    largest = int(area.argmax())
    return [
        np.full_like(a, len(boxes)), (share * weight).sum(axis=0) / weight.sum(), (cut * weight).max(axis=0), (cut * weight).sum(axis=0),
        np.where(share > 0.5, margin, 1).min(axis=0), ((low + high)[largest] / 2 - a) / w.length,
    ]  # fmt: skip


def people(photo: Photo) -> np.ndarray:
    return photo.objects[photo.objects[:, 0] == PERSON]


def animals(photo: Photo) -> np.ndarray:
    return photo.objects[np.isin(photo.objects[:, 0], ANIMALS)]


def others(photo: Photo) -> np.ndarray:
    return photo.objects[(photo.objects[:, 0] != PERSON) & ~np.isin(photo.objects[:, 0], ANIMALS)]
