"""The first proposal of a conversation: where it begins, sampling boxes there, and what a box is worth."""
import numpy as np
import torch
from torch import Tensor

from .model import Nano, grid_of, positions
from .shards import View

BoxPx = tuple[int, int, int, int]


def first_proposal(view: View) -> int:
    """Index of the first token of the first candidate's x1, the token after `{"box":[`."""
    c = view.conversation
    return c["labels"][c["nLabels"][0]][0] + 1


def box_tokens(box: BoxPx, integers: list[int], comma: int) -> list[int]:
    return [integers[box[0]], comma, integers[box[1]], comma, integers[box[2]], comma, integers[box[3]]]


def expected_iou(box: BoxPx, view: View, boxes: np.ndarray) -> float:
    """With the crop the teacher thinks a person would choose. boxes (N, 4) in 0..1."""
    p = np.exp(view.shard.scores[view.scores])
    b = np.array(box) / np.array([view.width, view.height, view.width, view.height])
    w = np.clip(np.minimum(b[2], boxes[:, 2]) - np.maximum(b[0], boxes[:, 0]), 0, None)
    h = np.clip(np.minimum(b[3], boxes[:, 3]) - np.maximum(b[1], boxes[:, 1]), 0, None)
    shared = w * h
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    iou = shared / ((b[2] - b[0]) * (b[3] - b[1]) + area - shared)
    return float((p * iou).sum() / p.sum())


@torch.no_grad()
def sample_boxes(
    model: Nano, view: View, images: Tensor, meta: dict, n: int, temperature: float, rng: torch.Generator
) -> list[BoxPx]:
    """`n` boxes drawn as the first proposal; images (2, T', E) of the view. Temperature 0 takes the likeliest numbers.
    Each number is drawn among those that leave a box of at least a quarter of each side."""
    prefix = view.conversation["tokens"][: first_proposal(view)]
    integers = torch.tensor(meta["integerTokens"], device=images.device)
    comma = meta["vocabulary"].index(",")
    pos = positions(prefix, meta["imagePad"], [grid_of(view.width, view.height)] * 2)[None].to(images.device)
    cache: list[list] = [[] for _ in model.text.layers]
    tokens = torch.tensor(prefix, device=images.device)[None]
    x = model.text.embed(tokens)
    x = x.masked_scatter((tokens == meta["imagePad"])[..., None], images.flatten(0, 1).to(x.dtype))
    hidden = model.text(x, pos, cache)[:, -1].expand(n, -1)
    for layer in cache:
        layer[:] = [t.expand(n, -1, -1, -1) for t in layer]
    at = int(pos.max()) + 1
    said: list[Tensor] = []
    for i in range(4):
        side = (view.width, view.height)[i % 2]
        least = side // 4
        logits = model.text.output(hidden).float()[:, integers[: side + 1]]  # (n, side + 1)
        numbers = torch.arange(side + 1, device=logits.device)[None]
        low = torch.zeros(n, 1, device=logits.device) if i < 2 else said[i - 2][:, None] + least
        high = side - least if i < 2 else side
        logits = logits.masked_fill((numbers < low) | (numbers > high), -torch.inf)
        if temperature > 0:
            probabilities = (logits / temperature).softmax(dim=1).cpu()
            value = torch.multinomial(probabilities, 1, generator=rng)[:, 0].to(logits.device)
        else:
            value = logits.argmax(dim=1)
        said.append(value)
        if i < 3:
            pair = torch.stack((integers[value], torch.full_like(value, comma)), dim=1)  # (n, 2)
            pos = torch.tensor([at, at + 1], device=logits.device).expand(n, 3, 2)
            hidden = model.text(model.text.embed(pair), pos, cache)[:, -1]
            at += 2
    return [tuple(box) for box in torch.stack(said, dim=1).tolist()]
