"""People, animals, things and faces in photos, by YOLOX-nano and YuNet (both Apache-2.0, as their authors publish them).
Needs onnxruntime, which nothing else here does. Goes on where an interrupted run ended.

python -m teacher.detect FOLDER --models MODELS --list files.txt --out detections.jsonl
FOLDER/<file> a line of the list; a line out: {"file", "size", "objects": [[class, score, x1, y1, x2, y2]], "faces": [[score, ...]]}
with boxes in shares of the photo's sides.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps

STRIDES = (8, 16, 32)
LEAST_OBJECT, LEAST_FACE = 0.3, 0.6


def letterbox(photo: Image.Image, side: int, fill: int) -> tuple[np.ndarray, float]:
    """The photo top left in a square, BGR (1, 3, side, side) 0..255; and the scale it was given."""
    scale = side / max(photo.size)
    small = photo.resize([max(1, round(n * scale)) for n in photo.size], Image.Resampling.BILINEAR)
    square = Image.new("RGB", (side, side), (fill,) * 3)
    square.paste(small)
    return np.asarray(square, np.float32)[None, :, :, ::-1].transpose(0, 3, 1, 2).copy(), scale


def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every anchor its cell (column, row) and its stride, as both networks order them."""
    cells, strides = [], []
    for stride in STRIDES:
        n = side // stride
        ys, xs = np.mgrid[:n, :n]
        cells.append(np.stack((xs, ys), axis=-1).reshape(-1, 2))
        strides.append(np.full((n * n, 1), stride))
    return np.concatenate(cells), np.concatenate(strides)


def distinct(boxes: np.ndarray, scores: np.ndarray, limit: float = 0.45) -> list[int]:
    """Non-maximum suppression; indices, likeliest first."""
    kept: list[int] = []
    for i in np.argsort(-scores):
        if all(iou(boxes[i], boxes[k]) < limit for k in kept):
            kept.append(int(i))
    return kept


def iou(a: np.ndarray, b: np.ndarray) -> float:
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared + 1e-9)


class Objects:
    SIDE = 416

    def __init__(self, model: Path, options: ort.SessionOptions):
        self.net = ort.InferenceSession(str(model), options)
        self.cells, self.strides = grid(self.SIDE)

    def __call__(self, photo: Image.Image) -> list[list[float]]:
        pixels, scale = letterbox(photo, self.SIDE, 114)
        out = self.net.run(None, {self.net.get_inputs()[0].name: pixels})[0][0]  # (3549, 85)
        centre, size = (out[:, :2] + self.cells) * self.strides, np.exp(out[:, 2:4]) * self.strides
        scores = out[:, 4:5] * out[:, 5:]
        kind, score = scores.argmax(1), scores.max(1)
        sure = score > LEAST_OBJECT
        boxes = np.concatenate((centre - size / 2, centre + size / 2), axis=1)[sure] / scale
        return [[int(kind[sure][i]), *line(score[sure][i], boxes[i], photo)] for i in distinct(boxes, score[sure])]


class Faces:
    SIDE = 320

    def __init__(self, model: Path, options: ort.SessionOptions):
        self.net = ort.InferenceSession(str(model), options)
        self.cells, self.strides = grid(self.SIDE)

    def __call__(self, photo: Image.Image) -> list[list[float]]:
        pixels, scale = letterbox(photo, self.SIDE, 0)
        names = [o.name for o in self.net.get_outputs()]
        out = dict(zip(names, self.net.run(None, {self.net.get_inputs()[0].name: pixels})))
        join = lambda what: np.concatenate([out[f"{what}_{s}"].reshape(s_cells(self.SIDE, s), -1) for s in STRIDES])
        score = np.sqrt(np.clip(join("cls")[:, 0], 0, 1) * np.clip(join("obj")[:, 0], 0, 1))
        box = join("bbox")
        centre, size = (box[:, :2] + self.cells) * self.strides, np.exp(box[:, 2:4]) * self.strides
        sure = score > LEAST_FACE
        boxes = np.concatenate((centre - size / 2, centre + size / 2), axis=1)[sure] / scale
        return [line(score[sure][i], boxes[i], photo) for i in distinct(boxes, score[sure], 0.3)]


def s_cells(side: int, stride: int) -> int:
    return (side // stride) ** 2


def line(score: float, box: np.ndarray, photo: Image.Image) -> list[float]:
    return [round(float(score), 3), *(round(float(v), 4) for v in np.clip(box / np.array([*photo.size] * 2), 0, 1))]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("folder", type=Path)
    p.add_argument("--models", type=Path, required=True, help="with yolox_nano.onnx and yunet_n_320_320.onnx")
    p.add_argument("--list", type=Path, required=True, help="a file name a line")
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    objects = Objects(a.models / "yolox_nano.onnx", options)
    faces = Faces(a.models / "yunet_n_320_320.onnx", options)
    done = {json.loads(l)["file"] for l in a.out.read_text().splitlines()} if a.out.exists() else set()
    with a.out.open("a") as f:
        for file in a.list.read_text().split("\n"):
            if not file or file in done:
                continue
            photo = ImageOps.exif_transpose(Image.open(a.folder / file)).convert("RGB")
            f.write(json.dumps({"file": file, "size": photo.size, "objects": objects(photo), "faces": faces(photo)}) + "\n")


if __name__ == "__main__":
    main()
