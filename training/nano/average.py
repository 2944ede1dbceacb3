"""The mean of two checkpoints' weights: two runs of DPO from one start, on different pairs, agree on what both learned.

python -m nano.average --first run/dpo-a/last.pt --second run/dpo-b/last.pt --share 0.25 --out run/dpo
"""
import argparse
from pathlib import Path

import torch

from .run import save_atomically


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--first", type=Path, required=True)
    p.add_argument("--second", type=Path, required=True)
    p.add_argument("--share", type=float, default=0.5, help="of the second")
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    first, second = (torch.load(path, map_location="cpu") for path in (a.first, a.second))
    if first["shape"] != second["shape"]:
        raise SystemExit("checkpoints of different shapes have no mean")
    model = {name: torch.lerp(value, second["model"][name], a.share) for name, value in first["model"].items()}
    a.out.mkdir(parents=True, exist_ok=True)
    save_atomically({k: first[k] for k in ("shape", "heads", "meta", "step", "seconds")} | {"model": model}, a.out / "last.pt")


if __name__ == "__main__":
    main()
