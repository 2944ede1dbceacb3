"""Qwen2's decoder with M-RoPE as llama.cpp runs it (src/models/qwen2vl.cpp)."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .rope import rotate, text_angles
from .shapes import TextShape


class Layer(nn.Module):
    def __init__(self, s: TextShape):
        super().__init__()
        self.s = s
        n_kv = s.head * s.n_head_kv
        self.attn_norm = nn.RMSNorm(s.n_embd, eps=s.eps)
        self.q = nn.Linear(s.n_embd, s.n_embd)
        self.k = nn.Linear(s.n_embd, n_kv)
        self.v = nn.Linear(s.n_embd, n_kv)
        self.o = nn.Linear(s.n_embd, s.n_embd, bias=False)
        self.ffn_norm = nn.RMSNorm(s.n_embd, eps=s.eps)
        self.gate = nn.Linear(s.n_embd, s.n_ff, bias=False)
        self.up = nn.Linear(s.n_embd, s.n_ff, bias=False)
        self.down = nn.Linear(s.n_ff, s.n_embd, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, past: list | None = None, mask: Tensor | None = None
    ) -> Tensor:
        B, T, _ = x.shape
        s, h = self.s, self.attn_norm(x)
        q = rotate(self.q(h).view(B, T, s.n_head, s.head).transpose(1, 2), cos, sin)  # (B, nh, T, hs)
        k = rotate(self.k(h).view(B, T, s.n_head_kv, s.head).transpose(1, 2), cos, sin)
        v = self.v(h).view(B, T, s.n_head_kv, s.head).transpose(1, 2)
        if past is not None:
            if past:
                k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
            past[:] = [k, v]
            mask = torch.ones(T, k.shape[2], dtype=torch.bool, device=x.device).tril(k.shape[2] - T)
        groups = s.n_head // s.n_head_kv
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        # Spelled out: torch's own attention on a CPU takes several times as long backwards in bfloat16.
        scores = (q @ k.transpose(-1, -2)).float() * s.head**-0.5
        y = scores.masked_fill(~mask, -torch.inf).softmax(dim=-1).to(v.dtype) @ v
        x = x + self.o(y.transpose(1, 2).reshape(B, T, -1))
        h = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class TextModel(nn.Module):
    def __init__(self, s: TextShape, n_vocab: int):
        super().__init__()
        self.s = s
        self.embed = nn.Embedding(n_vocab, s.n_embd)
        self.layers = nn.ModuleList(Layer(s) for _ in range(s.n_layer))
        self.norm = nn.RMSNorm(s.n_embd, eps=s.eps)
        self.output = nn.Linear(s.n_embd, n_vocab, bias=False)

    def forward(
        self, x: Tensor, pos: Tensor, cache: list[list] | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """x (B, T, E) embeddings, pos (B, 3, T) -> hidden states before the output matrix. Padding goes on the right.
        `cache`, a list of an empty list per layer at first, holds keys and values of what came before. `mask` (B, 1, T, T)
        says what each token sees, where that is not all before it."""
        cos, sin = text_angles(pos, self.s.sections, self.s.rope_base)
        if mask is None:
            mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, None if cache is None else cache[i], mask)
        return self.norm(x)
