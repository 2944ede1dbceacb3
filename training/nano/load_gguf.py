"""Reads a GGUF pair back into the torch model, dequantised: what the runtime should compute, weight for weight."""
import struct
from pathlib import Path

import numpy as np
import torch

from .export_weights import gguf_tensors
from .model import Nano
from .shapes import ModelShape, TextShape, VisionShape

SCALARS = {0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "<u1", 10: "<u8", 11: "<i8", 12: "<f8"}
STRING, ARRAY = 8, 9
F32, F16, Q8_0 = 0, 1, 8


def read_gguf(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Metadata, and tensors as float32 arrays, outermost dimension first."""
    data = path.read_bytes()
    at = 24

    def take(fmt: str):
        nonlocal at
        value = np.frombuffer(data, fmt, 1, at)[0]
        at += value.nbytes
        return value.item()

    def string() -> str:
        nonlocal at
        n = take("<u8")
        at += n
        return data[at - n : at].decode()

    def value(kind: int):
        if kind == STRING:
            return string()
        if kind != ARRAY:
            return take(SCALARS[kind])
        item, n = take("<u4"), take("<u8")
        return [value(item) for _ in range(n)]

    n_tensors, n_keys = struct.unpack_from("<QQ", data, 8)
    meta = {string(): value(take("<u4")) for _ in range(n_keys)}
    infos = []
    for _ in range(n_tensors):
        name = string()
        ne = [take("<u8") for _ in range(take("<u4"))]
        infos.append((name, ne, take("<u4"), take("<u8")))
    start = -(-at // 32) * 32
    return meta, {name: tensor(data, start + offset, ne, kind) for name, ne, kind, offset in infos}


def tensor(data: bytes, at: int, ne: list[int], kind: int) -> np.ndarray:
    n = int(np.prod(ne))
    if kind == Q8_0:
        blocks = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "<i1", 32)]), n // 32, at)
        flat = (blocks["d"].astype(np.float32)[:, None] * blocks["q"]).reshape(-1)
    else:
        flat = np.frombuffer(data, {F32: "<f4", F16: "<f2"}[kind], n, at).astype(np.float32)
    return flat.reshape(ne[::-1])


def load_pair(folder: Path, text: str, mmproj: str) -> tuple[Nano, dict]:
    meta, tensors = read_gguf(folder / text)
    vision_meta, vision_tensors = read_gguf(folder / mmproj)
    if vision_meta["clip.vision.n_wa_pattern"] != 0:
        raise ValueError("this model has windowed attention; the torch model has not")
    arch, clip = "qwen2vl.", "clip.vision."
    shape = ModelShape(
        n_vocab=len(meta["tokenizer.ggml.tokens"]),
        text=TextShape(
            n_embd=meta[arch + "embedding_length"],
            n_layer=meta[arch + "block_count"],
            n_head=meta[arch + "attention.head_count"],
            n_head_kv=meta[arch + "attention.head_count_kv"],
            n_ff=meta[arch + "feed_forward_length"],
            rope_base=meta[arch + "rope.freq_base"],
        ),
        vision=VisionShape(
            n_embd=vision_meta[clip + "embedding_length"],
            n_layer=vision_meta[clip + "block_count"],
            n_head=vision_meta[clip + "attention.head_count"],
            n_ff=vision_meta[clip + "feed_forward_length"],
            eps=vision_meta[clip + "attention.layer_norm_epsilon"],
        ),
    )
    model = Nano(shape)
    stored = tensors | vision_tensors
    with torch.no_grad():
        for name, target in gguf_tensors(model).items():
            if not name.startswith("v.patch_embd"):
                target.copy_(torch.from_numpy(stored[name]))  # chunks are views, so this fills the model itself
        halves = stored["v.patch_embd.weight"] + stored["v.patch_embd.weight.1"]
        model.vision.patch.weight.copy_(torch.from_numpy(halves).flatten(1))
    return model.eval(), meta
