"""Sizes of the model. Both GGUF files together must stay under 20 MB."""
from dataclasses import asdict, dataclass, field

PATCH = 14  # px
MERGE = 2  # patches a side of one merged token, fixed in llama.cpp
CELL = PATCH * MERGE  # px a side of one merged token


@dataclass(frozen=True)
class VisionShape:
    n_embd: int = 192
    n_layer: int = 6
    n_head: int = 3
    n_ff: int = 512
    eps: float = 1e-6


@dataclass(frozen=True)
class TextShape:
    n_embd: int = 256
    n_layer: int = 6
    n_head: int = 4
    n_head_kv: int = 2
    n_ff: int = 704
    # The real model's 1e6 leaves the height and width sections of a 64-wide head without any rotation over a dozen
    # positions; 100 spreads the wavelengths over the few hundred positions a conversation takes here.
    rope_base: float = 100.0
    # llama.cpp's qwen2vl reads no epsilon and runs with 0; this one only keeps the gradient of a zero vector finite.
    eps: float = 1e-12

    @property
    def head(self) -> int:
        return self.n_embd // self.n_head

    @property
    def sections(self) -> tuple[int, int, int]:
        """Pairs of a head's dimensions rotated by time, height and width: a quarter, three eighths, three eighths."""
        half = self.head // 2
        time = max(1, half // 4)
        height = (half - time) // 2
        return time, height, half - time - height


@dataclass(frozen=True)
class ModelShape:
    n_vocab: int
    vision: VisionShape = field(default_factory=VisionShape)
    text: TextShape = field(default_factory=TextShape)

    def as_dict(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_dict(d: dict) -> "ModelShape":
        return ModelShape(d["n_vocab"], VisionShape(**d["vision"]), TextShape(**d["text"]))
