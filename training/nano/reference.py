"""What torch computes for a conversation about two PNG frames, for test/train/parity.test.ts to hold the runtime to.

python -m nano.reference --model gguf/nano --conversation conversation.json --out test/fixtures/nano/reference.json

conversation.json is what `node dist/training/nano/parity-conversation.js` writes: tokens, and two frames as PNG files
beside it, ramps included.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .load_gguf import load_pair
from .model import grid_of, normalise, positions


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--conversation", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    manifest = json.loads((a.model / "manifest.json").read_text())
    files = manifest["files"]
    model, meta = load_pair(a.model, files["text"]["name"], files["mmproj"]["name"])
    image_pad = meta["tokenizer.ggml.tokens"].index("<|image_pad|>")
    said = json.loads(a.conversation.read_text())
    frames = [np.asarray(Image.open(a.conversation.parent / name).convert("RGB")) for name in said["frames"]]
    height, width, _ = frames[0].shape
    tokens = torch.tensor(said["tokens"])[None]
    pos = positions(said["tokens"], image_pad, [grid_of(width, height)] * len(frames))[None]
    with torch.no_grad():
        images = model.vision(normalise(torch.from_numpy(np.stack(frames))))
        hidden = model.hidden(tokens, pos, image_pad, images.flatten(0, 1))
        log_probs = model.text.output(hidden[0, said["at"]]).log_softmax(dim=-1)
    top = log_probs.topk(8, dim=1)
    out = {
        "sha256": {name: files[name]["sha256"] for name in files},
        "tokens": said["tokens"],
        "frames": said["frames"],
        "at": said["at"],
        "top": [
            [[t, round(v, 5)] for t, v in zip(ids, values)]
            for ids, values in zip(top.indices.tolist(), top.values.tolist())
        ],
    }
    a.out.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
