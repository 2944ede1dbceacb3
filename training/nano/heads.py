"""Dense predictions from the image tokens, used in training only: they teach the tower to see before it has to speak."""
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CELLS = 4  # map cells a side of one token: 7 px each
EDGE_BINS = 33
ELEMENT_KINDS = (
    "rule_of_thirds", "center", "golden_ratio", "horizontal", "vertical", "diagonal", "symmetric", "curved", "triangle",
    "vanishing_point",
)  # fmt: skip
BOX_KINDS = ELEMENT_KINDS[:3]
LINE_KINDS = ("horizontal", "vertical", "diagonal", "symmetric")
# Each four numbers x1, y1, x2, y2: edges of a box, or ends of the first line of a kind.
SUMMARISED = ("crop", "subject", *LINE_KINDS)
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


class SummaryHead(nn.Module):
    """What the mean of the image tokens says in one linear step: the edges of the best crop and of the subject, the ends of
    lines, and which elements there are. Attention can take that mean, so the text model finds here what it has to put into
    words."""

    def __init__(self, n_embd: int):
        super().__init__()
        self.edges = nn.Linear(n_embd, len(SUMMARISED) * 4 * EDGE_BINS)
        self.kinds = nn.Linear(n_embd, len(ELEMENT_KINDS))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, E) -> logits of the edges (B, SUMMARISED, 4, EDGE_BINS); of the kinds (B, kinds)"""
        mean = tokens.float().mean(dim=1)
        return self.edges(mean).view(-1, len(SUMMARISED), 4, EDGE_BINS).float(), self.kinds(mean).float()


class DenseHeads(nn.Module):
    def __init__(self, boxes: Tensor, n_embd: int):
        super().__init__()
        self.maps = nn.Linear(n_embd, len(MAPS) * CELLS * CELLS)
        self.crop = CropHead(boxes, n_embd)
        self.summary = SummaryHead(n_embd)

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


def edge_targets(boxes: Tensor, sigma: float = 0.03) -> Tensor:
    """(B, 4) in 0..1 -> Gaussians (B, 4, EDGE_BINS) over the bins from 0 to 1."""
    bins = torch.linspace(0, 1, EDGE_BINS, device=boxes.device)
    return (-0.5 * ((bins - boxes[..., None]) / sigma).square()).softmax(dim=-1)


def edge_loss(logits: Tensor, boxes: Tensor) -> Tensor:
    """KL divergence, mean over the edges. logits (B, 4, EDGE_BINS), boxes (B, 4)"""
    target = edge_targets(boxes)
    return (torch.special.entr(target).neg() - target * logits.log_softmax(dim=-1)).sum(dim=-1).mean()
