"""The whole model: vision tower, decoder, and how images take their place among the tokens."""
import math

import torch
from torch import Tensor, nn

from .shapes import CELL, ModelShape
from .text import TextModel
from .vision import VisionTower

# Qwen2.5-VL's preprocessor_config.json
IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
IMAGE_STD = (0.26862954, 0.26130258, 0.27577711)


def normalise(pixels: Tensor) -> Tensor:
    """uint8 or float (B, H, W, 3) 0..255 -> (B, 3, H, W), as libmtmd does it."""
    x = pixels.permute(0, 3, 1, 2).float() / 255
    mean = torch.tensor(IMAGE_MEAN, device=x.device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGE_STD, device=x.device).view(1, 3, 1, 1)
    return (x - mean) / std


class Nano(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.shape = shape
        self.vision = VisionTower(shape.vision, shape.text.n_embd)
        self.text = TextModel(shape.text, shape.n_vocab)

    def hidden(self, tokens: Tensor, pos: Tensor, image_pad: int, images: Tensor) -> Tensor:
        """tokens (B, T) with `image_pad` where image tokens stand; images (n, E): all their embeddings in order."""
        x = self.text.embed(tokens)
        x = x.masked_scatter((tokens == image_pad)[..., None], images.to(x.dtype))
        return self.text(x, pos)


def init_weights(model: Nano, integers: list[int], seed: int) -> None:
    """Small normal weights; the embeddings of the integers vary smoothly with their value, so that near numbers are
    near from the first step on. `integers[i]` is the token of the number i."""
    torch.manual_seed(seed)
    n_layer = model.shape.text.n_layer + model.shape.vision.n_layer
    for name, p in model.named_parameters():
        if p.dim() < 2:
            nn.init.zeros_(p) if name.endswith("bias") else nn.init.ones_(p)
        else:
            nn.init.normal_(p, std=1 / math.sqrt(p.shape[1]))
            if name.endswith(("out.weight", "down.weight", ".o.weight")):
                p.data.mul_(1 / math.sqrt(2 * n_layer))
    E = model.shape.text.n_embd
    nn.init.normal_(model.text.embed.weight, std=1.0)
    nn.init.normal_(model.text.output.weight, std=0.5 / math.sqrt(E))
    value = torch.arange(len(integers), dtype=torch.float32)
    waves = 2 * math.pi / torch.logspace(math.log10(8.0), math.log10(1600.0), E // 4)  # radians a px
    features = torch.cat((torch.sin(value[:, None] * waves), torch.cos(value[:, None] * waves)), dim=1)
    mix = torch.randn(2, features.shape[1], E) / math.sqrt(features.shape[1] / 2)
    with torch.no_grad():
        model.text.embed.weight[integers] = 0.3 * model.text.embed.weight[integers] + features @ mix[0]
        model.text.output.weight[integers] = (features @ mix[1]) * 0.5 / math.sqrt(E)


def positions(tokens: list[int], image_pad: int, grids: list[tuple[int, int]]) -> Tensor:
    """M-RoPE positions (3, T) as libmtmd counts them: an image of rows x columns tokens stands at one time and takes
    max(rows, columns) positions; grids in order of the images, `image_pad` repeated rows * columns times each."""
    pos, at, i, image = [], 0, 0, 0
    while i < len(tokens):
        if tokens[i] != image_pad:
            pos.append((at, at, at))
            at, i = at + 1, i + 1
            continue
        rows, columns = grids[image]
        pos.extend((at, at + r, at + c) for r in range(rows) for c in range(columns))
        at, i, image = at + max(rows, columns), i + rows * columns, image + 1
    return torch.tensor(pos).T


def grid_of(width: int, height: int) -> tuple[int, int]:
    """Rows and columns of merged tokens of a frame."""
    return height // CELL, width // CELL
