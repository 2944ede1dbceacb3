"""Stage 4: DPO on pairs of first proposals (sample_pairs.py) against the frozen SFT model. Only the text model learns,
as a LoRA of it could. Beside it the chosen boxes' own likelihood keeps its weight (--nll), without which both boxes of a
pair grow unlikely and the model drifts to what no pair speaks of.

python -m nano.train_dpo --data shard [...] --pairs run/pairs.jsonl --init run/sft/last.pt --out run/dpo --steps 400
"""
import copy
import json
from pathlib import Path

import torch
import torch.nn.functional as F

from .loop import Loop, stage_parser
from .model import Nano, grid_of, normalise, positions
from .proposals import box_tokens, first_proposal
from .run import autocast, device, optimiser
from .shapes import ModelShape
from .shards import View, batches, load_views, stack_frames


def box_log_prob(text, embed_images, views: list[View], boxes: list, meta: dict, dev) -> torch.Tensor:
    """(B,) log-probability of the four numbers of each box as the first proposal."""
    comma = meta["vocabulary"].index(",")
    starts = [first_proposal(v) for v in views]
    said = [v.conversation["tokens"][:s] + box_tokens(b, meta["integerTokens"], comma) for v, s, b in zip(views, starts, boxes)]
    T = max(map(len, said))
    tokens = torch.full((len(said), T), meta["vocabulary"].index("<|endoftext|>"))
    pos = torch.zeros(len(said), 3, T, dtype=torch.long)
    for i, (ids, v) in enumerate(zip(said, views)):
        tokens[i, : len(ids)] = torch.tensor(ids)
        pos[i, :, : len(ids)] = positions(ids, meta["imagePad"], [grid_of(v.width, v.height)] * 2)
    tokens, pos = tokens.to(dev), pos.to(dev)
    x = text.embed(tokens)
    x = x.masked_scatter((tokens == meta["imagePad"])[..., None], embed_images.to(x.dtype))
    hidden = text(x, pos)
    rows = torch.arange(len(said), device=dev)[:, None]
    at = torch.tensor([[s + 2 * k - 1 for k in range(4)] for s in starts], device=dev)  # what predicts each number
    log_probs = text.output(hidden[rows, at]).float().log_softmax(dim=-1)  # (B, 4, V)
    return log_probs.gather(2, tokens[rows, at + 1][..., None]).sum(dim=(1, 2))


def main() -> None:
    p = stage_parser(__doc__, batch=16, lr=3e-5, save_minutes=3)
    p.add_argument("--pairs", type=Path, required=True)
    p.add_argument("--init", type=Path, required=True)
    p.add_argument("--nll", type=float, default=0.2, help="weight of the chosen box's negative log-likelihood, a number")
    p.add_argument("--beta", type=float, default=0.2)
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    dev = device()
    all_views, meta = load_views(a.data)
    pairs = {(q["shard"], q["source"]): q for q in map(json.loads, a.pairs.read_text().splitlines())}
    views = [v for v in all_views if (str(v.shard.folder), v.source) in pairs]
    start = torch.load(a.init, map_location="cpu")
    model = Nano(ModelShape.from_dict(start["shape"])).to(dev)
    model.load_state_dict(start["model"])
    model.vision.requires_grad_(False)
    reference = copy.deepcopy(model.text).requires_grad_(False).eval()
    kept = {"shape": start["shape"], "heads": start["heads"], "meta": meta}
    optimisers = {"opt": (optimiser([model.text], a.lr, weight_decay=0.0), a.lr)}
    loop = Loop(a, dev, {"model": model}, optimisers, kept, curve_every=10)
    print(f"{len(views)} pairs", flush=True)

    def step_losses(batch: list[View]) -> tuple[torch.Tensor, dict]:
        n = len(batch)
        mine = [pairs[(str(v.shard.folder), v.source)] for v in batch]
        both = batch + batch
        boxes = [q["chosen"] for q in mine] + [q["rejected"] for q in mine]
        with autocast(dev):
            with torch.no_grad():
                seen = model.vision(normalise(torch.cat((stack_frames(batch), stack_frames(batch, True))).to(dev)))
                images = torch.stack((seen[:n], seen[n:]), dim=1).flatten(0, 2).repeat(2, 1)  # both halves alike
                held = box_log_prob(reference, images, both, boxes, meta, dev)
            own = box_log_prob(model.text, images, both, boxes, meta, dev)
        gain = (own - held).view(2, n)
        margin = a.beta * (gain[0] - gain[1])
        preference = F.softplus(-margin).mean()
        loss = preference - a.nll * own[:n].mean() / 4
        parts = {"loss": preference, "accuracy": (margin > 0).float().mean(), "chosen": gain[0].mean(), "rejected": gain[1].mean()}
        return loss, parts

    loop.run(batches(views, a.batch, a.seed + loop.step), step_losses, clipped=model.text.parameters())


if __name__ == "__main__":
    main()
