"""Light, colour and mirror changes that leave composition and position ramps as they are."""
import torch
from torch import Tensor

from .shapes import PATCH


def recolour(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """(B, H, W, 3) uint8 -> float 0..255: gain and offset for each channel, gamma, some grey, some noise. The ramp
    columns 0 and 13 of every patch keep their values."""
    B = pixels.shape[0]
    x = pixels.float() / 255

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand(B, 1, 1, channels, generator=generator)

    x = x ** (2 ** uniform(-0.5, 0.5)) * uniform(0.8, 1.2) * uniform(0.93, 1.07, 3) + uniform(-0.06, 0.06)
    grey = x.mean(dim=3, keepdim=True)
    x = grey + (x - grey) * uniform(0.4, 1.4)
    x = torch.where(uniform(0, 1) < 0.1, grey.expand_as(x), x)
    x = x + torch.randn(x.shape, generator=generator) * uniform(0, 0.03)
    return with_ramps_of(pixels, x.clamp(0, 1) * 255)


def mirror(pixels: Tensor) -> Tensor:
    """Left to right; columns 0 and 13 of a patch change places, so only ramps are overwritten by ramps."""
    return with_ramps_of(pixels, pixels.flip(2))


def with_ramps_of(source: Tensor, x: Tensor) -> Tensor:
    x = x.clone()
    for column in (0, PATCH - 1):
        x[:, :, column::PATCH] = source[:, :, column::PATCH].to(x.dtype)
    return x


def mirrored_boxes(boxes: Tensor) -> Tensor:
    """Index of each grid box's mirror image, or of the box nearest to it where rounding left that one out of the grid.
    boxes (N, 4) in 0..1."""
    image = torch.stack((1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]), dim=1)
    distance = torch.cdist(image, boxes, p=1)
    return distance.argmin(dim=1)
