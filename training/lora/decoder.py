"""Qwen2.5-VL's decoder with LoRA in plain torch, weights from a GGUF file: the other implementation that the addon's
trainer is held to. Sizes: T tokens, E embedding, H heads, K heads of keys, D = E / H, r rank."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
ARCH = "qwen2vl."


class Decoder:
    """`adapter[name]` is (A (r, in), B (out, r)); epsilon is zero as in llama.cpp's loader of this architecture."""

    def __init__(self, meta: dict, tensors: dict[str, np.ndarray], scale: float):
        self.weights = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}
        self.n_layer = meta[ARCH + "block_count"]
        self.n_head = meta[ARCH + "attention.head_count"]
        self.n_head_kv = meta.get(ARCH + "attention.head_count_kv", self.n_head)
        self.sections = meta[ARCH + "rope.dimension_sections"][:3]
        self.base = meta.get(ARCH + "rope.freq_base", 10000.0)
        self.scale = scale
        self.adapter: dict[str, tuple[Tensor, Tensor]] = {}

    def pairs(self) -> list[tuple[str, int, int]]:
        """Name, in, out of every adapted matrix, in the order of the trainer's parameters."""
        names = [f"blk.{i}.{target}.weight" for i in range(self.n_layer) for target in TARGETS]
        return [(name, self.weights[name].shape[1], self.weights[name].shape[0]) for name in names]

    def linear(self, name: str, x: Tensor) -> Tensor:
        y = x @ self.weights[f"{name}.weight"].T
        if f"{name}.weight" in self.adapter:
            a, b = self.adapter[f"{name}.weight"]
            y = y + self.scale * ((x @ a.T) @ b.T)
        bias = self.weights.get(f"{name}.bias")
        return y if bias is None else y + bias

    def norm(self, name: str, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True)) * self.weights[f"{name}.weight"]

    def rotate(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        a, b = x.chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)

    def layer(self, i: int, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        T, E = x.shape
        D = E // self.n_head
        h = self.norm(f"blk.{i}.attn_norm", x)
        q = self.linear(f"blk.{i}.attn_q", h).view(T, self.n_head, D).transpose(0, 1)  # (H, T, D)
        k = self.linear(f"blk.{i}.attn_k", h).view(T, self.n_head_kv, D).transpose(0, 1)  # (K, T, D)
        v = self.linear(f"blk.{i}.attn_v", h).view(T, self.n_head_kv, D).transpose(0, 1)
        q, k = self.rotate(q, cos, sin), self.rotate(k, cos, sin)
        k, v = (each.repeat_interleave(self.n_head // self.n_head_kv, dim=0) for each in (k, v))
        y = (q @ k.transpose(1, 2) / math.sqrt(D) + mask).softmax(-1) @ v  # (H, T, D)
        x = x + self.linear(f"blk.{i}.attn_output", y.transpose(0, 1).reshape(T, E))
        h = self.norm(f"blk.{i}.ffn_norm", x)
        gated = F.silu(self.linear(f"blk.{i}.ffn_gate", h)) * self.linear(f"blk.{i}.ffn_up", h)
        return x + self.linear(f"blk.{i}.ffn_down", gated)

    def log_probs(self, x: Tensor, positions: Tensor, rows: list[int], targets: list[int]) -> Tensor:
        """x (T, E) embeddings, positions (3, T) time, height, width -> natural log p(targets) at `rows`."""
        T = x.shape[0]
        half = x.shape[1] // self.n_head // 2
        freq = self.base ** (-torch.arange(half, dtype=torch.float32) / half)
        which = torch.repeat_interleave(torch.arange(3), torch.tensor(self.sections))
        angles = positions.float()[which].T * freq  # (T, D / 2)
        mask = torch.full((T, T), -math.inf).triu(1)
        for i in range(self.n_layer):
            x = self.layer(i, x, angles.cos(), angles.sin(), mask)
        logits = self.norm("output_norm", x[rows]) @ self.weights.get("output.weight", self.weights["token_embd.weight"]).T
        return logits.log_softmax(-1)[range(len(rows)), targets]
