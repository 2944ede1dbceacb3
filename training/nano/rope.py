"""Rotary positions as ggml_rope_multi computes them (ggml/src/ggml-cpu/ops.cpp, ggml_mrope_cache_init)."""
import torch
from torch import Tensor


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Pairs (i, i + head/2), the NEOX order. x: (B, n_head, T, head); cos, sin: broadcastable (.., T, head/2)."""
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1).to(x.dtype)


def vision_angles(rows: int, columns: int, head: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """cos, sin (T, head/2) of rows x columns patches in merge order; frequencies start again for each of y and x."""
    n = head // 4
    freq = 10000.0 ** (-torch.arange(n, device=device, dtype=torch.float32) / n)
    y, x = merge_order(rows, columns, device)
    angles = torch.cat((y[:, None] * freq, x[:, None] * freq), dim=1)
    return angles.cos(), angles.sin()


def merge_order(rows: int, columns: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """y and x of each patch in the order of the tokens: 2x2 groups row by row, row by row within a group."""
    y, x = torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij")

    def order(plane: Tensor) -> Tensor:
        return plane.reshape(rows // 2, 2, columns // 2, 2).permute(0, 2, 1, 3).reshape(-1).float()

    return order(y), order(x)


def text_angles(pos: Tensor, sections: tuple[int, int, int], base: float) -> tuple[Tensor, Tensor]:
    """cos, sin (B, 1, T, head/2) for M-RoPE positions (B, 3, T) = time, height, width; one run of frequencies."""
    half = sum(sections)
    freq = base ** (-torch.arange(half, device=pos.device, dtype=torch.float32) / half)
    which = torch.repeat_interleave(
        torch.arange(3, device=pos.device), torch.tensor(sections, device=pos.device)
    )  # (half,)
    angles = pos.float().transpose(1, 2)[:, :, which] * freq  # (B, T, half)
    return angles.cos()[:, None], angles.sin()[:, None]
