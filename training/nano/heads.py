"""Dense predictions from the image tokens, used in training only: they teach the tower to see before it has to speak."""
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CELLS = 4  # map cells a side of one token: 7 px each
MAPS = ("saliency", "subject", "horizontal", "vertical", "diagonal", "curved", "triangle", "vanishing")


def fourier(x: Tensor, n: int) -> Tensor:
    """(..., D) values 0..1 -> (..., 2 n D)"""
    waves = math.pi * 2.0 ** torch.arange(n, device=x.device)
    angles = x[..., None] * waves
    return torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(-2)


class CropHead(nn.Module):
    """Scores every box of a fixed grid: each box is a query that looks at the image tokens."""

    def __init__(self, boxes: Tensor, n_embd: int, n_head: int = 4):
        super().__init__()
        self.n_head = n_head
        w, h = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        centre = torch.stack(((boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2), dim=1)
        features = torch.cat((fourier(boxes, 4), fourier(centre, 4), torch.stack((w, h, w * h), dim=1)), dim=1)
        self.register_buffer("features", features, persistent=False)
        self.embed = nn.Sequential(nn.Linear(features.shape[1], n_embd), nn.SiLU(), nn.Linear(n_embd, n_embd))
        self.q = nn.Linear(n_embd, n_embd)
        self.kv = nn.Linear(n_embd, 2 * n_embd)
        self.score = nn.Sequential(nn.Linear(2 * n_embd, n_embd), nn.SiLU(), nn.Linear(n_embd, 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, E) -> (B, n_boxes)"""
        B, T, E = tokens.shape
        box = self.embed(self.features)  # (N, E)
        q = self.q(box).view(1, -1, self.n_head, E // self.n_head).transpose(1, 2).expand(B, -1, -1, -1)
        k, v = self.kv(tokens).view(B, T, 2, self.n_head, -1).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q.contiguous(), k, v).transpose(1, 2).reshape(B, -1, E)
        return self.score(torch.cat((seen, box.to(seen.dtype).expand(B, -1, -1)), dim=2)).squeeze(-1).float()


class DenseHeads(nn.Module):
    def __init__(self, boxes: Tensor, n_embd: int):
        super().__init__()
        self.maps = nn.Linear(n_embd, len(MAPS) * CELLS * CELLS)
        self.crop = CropHead(boxes, n_embd)

    def map_logits(self, tokens: Tensor, rows: int, columns: int) -> Tensor:
        """(B, T, E) -> (B, maps, 4 rows, 4 columns)"""
        x = self.maps(tokens).view(-1, rows, columns, len(MAPS), CELLS, CELLS)
        return x.permute(0, 3, 1, 4, 2, 5).reshape(-1, len(MAPS), rows * CELLS, columns * CELLS).float()


def map_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Lines cover few cells: what is there counts five times. target (B, maps, H, W) in 0..1."""
    weight = 1 + 4 * target
    return (weight * F.binary_cross_entropy_with_logits(logits, target, reduction="none")).mean()


def crop_loss(scores: Tensor, target: Tensor) -> Tensor:
    """KL divergence from the teacher's distribution (B, n_boxes)."""
    return F.kl_div(scores.log_softmax(dim=1), target, reduction="batchmean")
