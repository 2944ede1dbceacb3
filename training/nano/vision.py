"""Qwen2.5-VL's vision tower as llama.cpp runs it (tools/mtmd/models/qwen2vl.cpp), with full attention in every layer."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .rope import rotate, vision_angles
from .shapes import PATCH, VisionShape


class Block(nn.Module):
    def __init__(self, s: VisionShape):
        super().__init__()
        self.n_head = s.n_head
        self.ln1 = nn.RMSNorm(s.n_embd, eps=s.eps)
        self.qkv = nn.Linear(s.n_embd, 3 * s.n_embd)
        self.out = nn.Linear(s.n_embd, s.n_embd)
        self.ln2 = nn.RMSNorm(s.n_embd, eps=s.eps)
        self.gate_up = nn.Linear(s.n_embd, 2 * s.n_ff)
        self.down = nn.Linear(s.n_ff, s.n_embd)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        B, T, C = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(B, T, 3, self.n_head, -1).permute(2, 0, 3, 1, 4)  # each (B, nh, T, hs)
        # Spelled out: a few hundred patches, where torch's own attention on a CPU takes twice as long backwards.
        scores = rotate(q, cos, sin) @ rotate(k, cos, sin).transpose(-1, -2)
        y = (scores.float() * q.shape[-1] ** -0.5).softmax(dim=-1).to(v.dtype) @ v
        x = x + self.out(y.transpose(1, 2).reshape(B, T, C))
        gate, up = self.gate_up(self.ln2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class VisionTower(nn.Module):
    def __init__(self, s: VisionShape, n_out: int):
        super().__init__()
        self.shape = s
        self.patch = nn.Linear(3 * PATCH * PATCH, s.n_embd, bias=False)  # both temporal halves in one
        self.blocks = nn.ModuleList(Block(s) for _ in range(s.n_layer))
        self.ln = nn.RMSNorm(s.n_embd, eps=s.eps)
        self.merge = nn.Linear(4 * s.n_embd, 4 * s.n_embd)
        self.project = nn.Linear(4 * s.n_embd, n_out)

    def forward(self, image: Tensor) -> Tensor:
        """image (B, 3, H, W) normalised, sides multiples of 28 -> (B, H/28 * W/28, n_out), row by row."""
        B, _, H, W = image.shape
        rows, columns = H // PATCH, W // PATCH
        x = image.view(B, 3, rows // 2, 2, PATCH, columns // 2, 2, PATCH)
        x = x.permute(0, 2, 5, 3, 6, 1, 4, 7).reshape(B, rows * columns, 3 * PATCH * PATCH)
        x = self.patch(x).float()  # the residual stream stays in float32 under autocast
        cos, sin = vision_angles(rows, columns, self.shape.n_embd // self.shape.n_head, image.device)
        for block in self.blocks:
            x = block(x, cos, sin)
        x = self.ln(x).reshape(B, rows * columns // 4, -1)
        return self.project(F.gelu(self.merge(x), approximate="tanh"))
