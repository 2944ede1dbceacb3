"""Writes a checkpoint's tensors under their GGUF names for write-model.ts: weights.f32 and weights.json.

python -m nano.export_weights --checkpoint run/sft/last.pt --out run/export
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .model import Nano
from .shapes import PATCH, ModelShape


def gguf_tensors(model: Nano) -> dict[str, Tensor]:
    """Row-major, outermost dimension first; ggml's `ne` is the reverse."""
    out: dict[str, Tensor] = {}
    text, vision = model.text, model.vision
    out["token_embd.weight"] = text.embed.weight
    out["output_norm.weight"] = text.norm.weight
    out["output.weight"] = text.output.weight
    for i, layer in enumerate(text.layers):
        at = f"blk.{i}."
        out[at + "attn_norm.weight"] = layer.attn_norm.weight
        for name, part in (("attn_q", layer.q), ("attn_k", layer.k), ("attn_v", layer.v)):
            out[at + name + ".weight"], out[at + name + ".bias"] = part.weight, part.bias
        out[at + "attn_output.weight"] = layer.o.weight
        out[at + "ffn_norm.weight"] = layer.ffn_norm.weight
        for name, part in (("ffn_gate", layer.gate), ("ffn_up", layer.up), ("ffn_down", layer.down)):
            out[at + name + ".weight"] = part.weight
    # A still image goes through both temporal halves, which are summed.
    half = vision.patch.weight.view(-1, 3, PATCH, PATCH) / 2
    out["v.patch_embd.weight"] = out["v.patch_embd.weight.1"] = half
    for i, block in enumerate(vision.blocks):
        at = f"v.blk.{i}."
        out[at + "ln1.weight"], out[at + "ln2.weight"] = block.ln1.weight, block.ln2.weight
        for name, weight, bias in zip(("attn_q", "attn_k", "attn_v"), block.qkv.weight.chunk(3), block.qkv.bias.chunk(3)):
            out[at + name + ".weight"], out[at + name + ".bias"] = weight, bias
        for name, weight, bias in zip(("ffn_gate", "ffn_up"), block.gate_up.weight.chunk(2), block.gate_up.bias.chunk(2)):
            out[at + name + ".weight"], out[at + name + ".bias"] = weight, bias
        for name, part in (("attn_out", block.out), ("ffn_down", block.down)):
            out[at + name + ".weight"], out[at + name + ".bias"] = part.weight, part.bias
    out["v.post_ln.weight"] = vision.ln.weight
    for name, part in (("mm.0", vision.merge), ("mm.2", vision.project)):
        out[name + ".weight"], out[name + ".bias"] = part.weight, part.bias
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--checkpoint", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    state = torch.load(a.checkpoint, map_location="cpu")
    model = Nano(ModelShape.from_dict(state["shape"]))
    model.load_state_dict(state["model"])
    write(model, state["meta"], a.out, {"step": state["step"], "seconds": round(state["seconds"])})


def write(model: Nano, meta: dict, folder: Path, trained: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors, offset = {}, 0
    with (folder / "weights.f32").open("wb") as f:
        for name, tensor in gguf_tensors(model).items():
            values = tensor.detach().float().contiguous().numpy().astype("<f4")
            tensors[name] = {"shape": list(reversed(values.shape)), "offset": offset}
            offset += f.write(np.ascontiguousarray(values).tobytes())
    about = {"shape": model.shape.as_dict(), "sections": list(model.shape.text.sections), "tensors": tensors}
    about |= {"vocabulary": meta["vocabulary"], "types": meta["types"], "use": meta["use"]}
    about |= {"promptVersion": meta["promptVersion"], "trained": trained}
    (folder / "weights.json").write_text(json.dumps(about))


if __name__ == "__main__":
    main()
