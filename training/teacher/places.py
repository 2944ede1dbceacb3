"""Places of the largest crop of a ratio: it moves along one axis only, so all that matters of a photo is how what it shows
is spread along that axis. Shares of the axis throughout; place 0 is left or top, 1 is right or bottom."""
from dataclasses import dataclass

import numpy as np

RATIOS = {"1:1": 1, "4:5": 4 / 5, "5:4": 5 / 4, "3:2": 3 / 2, "2:3": 2 / 3, "4:3": 4 / 3, "3:4": 3 / 4, "16:9": 16 / 9, "9:16": 9 / 16}  # fmt: skip
FIVE = np.array([0, 0.25, 0.5, 0.75, 1])
MANY = np.linspace(0, 1, 33)


@dataclass(frozen=True)
class Window:
    """How the largest crop of a ratio lies in a photo: along which axis it moves, and its length on it."""

    axis: int  # 0: x, 1: y
    length: float  # share of that axis, 0..1

    def spans(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        start = (1 - self.length) * places
        return start, start + self.length

    def box(self, place: float) -> list[float]:
        """[x1, y1, x2, y2] in shares of the photo's sides"""
        a = (1 - self.length) * place
        b = a + self.length
        return [a, 0.0, b, 1.0] if self.axis == 0 else [0.0, a, 1.0, b]


def window(width: float, height: float, ratio: float) -> Window:
    photo = width / height
    return Window(0, ratio / photo) if ratio <= photo else Window(1, photo / ratio)


def nearest(place: float) -> float:
    return float(FIVE[np.abs(FIVE - place).argmin()])
