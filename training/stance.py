"""Train the stance model: MiniLM with role embeddings over questions of all stance sets.

python -m training.stance --data DIR --out DIR [--config FILE]

The whole schedule is planned before the first step (same seed, same batches), so a run that
was stopped goes on from its last checkpoint with the batches that were left.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from training.common import (
    load_checkpoint,
    minilm_folder,
    padded,
    read_config,
    save_checkpoint,
    seed_everything,
)
from training.stance_data import (
    Encoded,
    batches,
    dse_groups,
    encode_all,
    read_nli,
    read_stance,
    repeated,
    varied,
)
from training.stance_model import StanceNetwork
from training.stance_scores import macro_f1, paired_scores
from workers.models.stance_inputs import StanceEncoder

CONFIG = Path(__file__).parent / "configs" / "stance.toml"
# Rows of each dev set that are scored during training; a twentieth of the time at most.
DEV_ROWS = {"newsmtsc": 783, "vast": 400, "dse": 700, "perspectrum": 500}
DEV_LENGTH = 256
EVALUATED_AT = (0.25, 0.5, 0.7, 0.85, 1.0)
CHECKPOINT_STEPS = 300
LOG_STEPS = 20


def plan(config: dict[str, Any], data: Path, encoder: StanceEncoder) -> list[list[Encoded]]:
    """Every batch of the run, in order: the NLI warm-up first, then the stance mix."""
    rng = random.Random(config["seed"])
    passes = config["passes"]
    stance = data / "stance"
    dse = dse_groups(read_stance(stance / "dse/train.jsonl", "dse"))
    sets = {f"dse_{name}": rows for name, rows in dse.items()}
    for name in ("newsmtsc", "vast", "gwsd", "perspectrum"):
        sets[name] = read_stance(stance / name / "train.jsonl", name)
    people = [row.question.target for row in sets["newsmtsc"]]
    names = sorted({name for name in people if name[:1].isupper() and len(name) > 3})
    topics = sorted({row.question.target for name in ("vast", "perspectrum") for row in sets[name]})
    nli = list(repeated(read_nli(data / "nli/sick.jsonl"), passes["nli_sick"], rng))
    nli += repeated(read_nli(data / "nli/mnli_dev_matched.jsonl"), passes["nli_mnli"], rng)
    rows = [row for name, part in sets.items() for row in repeated(part, passes[name], rng)]
    main = encode_all(varied(rows, names, topics, config["mix"], rng), encoder)
    warm = encode_all(nli, encoder)
    for name, part in (("warm-up", warm), ("main", main)):
        tokens = sum(len(row.input_ids) for row in part)
        shares = [sum(row.label == label for row in part) / len(part) for label in range(3)]
        print(name, len(part), "rows", tokens, "tokens, labels", shares, flush=True)
    size = config["batch_tokens"]
    planned = batches(warm, size, rng) + batches(main, size, rng)
    later = config["later"]
    added = [
        row for name, times in later["passes"].items() for row in repeated(sets[name], times, rng)
    ]
    more = encode_all(varied(added, names, topics, later["mix"], rng), encoder)
    rest = planned[later["step"] :] + batches(more, size, rng)
    rng.shuffle(rest)
    return planned[: later["step"]] + rest


def read_dev(data: Path, tokenizer: Tokenizer) -> dict[str, list[Encoded]]:
    """The rows that are scored during training."""
    encoder = StanceEncoder(tokenizer, DEV_LENGTH)
    dev = {}
    for name, size in DEV_ROWS.items():
        rows = read_stance(data / "stance" / name / "dev.jsonl", name)
        # Comments of one topic stand together in VAST: a sample has more topics than a head.
        kept = (
            random.Random(0).sample(rows, min(size, len(rows))) if name == "vast" else rows[:size]
        )
        dev[name] = encode_all(kept, encoder)
    return dev


def tensors(batch: Sequence[Encoded]) -> tuple[torch.Tensor, ...]:
    """Ids, mask, roles, each (rows, longest), and labels (rows)."""
    return (
        padded([row.input_ids for row in batch]),
        padded([[1] * len(row.input_ids) for row in batch]),
        padded([row.token_type_ids for row in batch]),
        torch.tensor([row.label for row in batch]),
    )


def evaluate(model: StanceNetwork, dev: dict[str, list[Encoded]]) -> dict[str, float]:
    """Macro F1 and accuracy on each dev set; the five relations of DSE too."""
    model.eval()
    scores: dict[str, float] = {}
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for name, rows in dev.items():
            order = sorted(range(len(rows)), key=lambda index: len(rows[index].input_ids))
            predicted = np.zeros(len(rows), dtype=np.int64)
            for start in range(0, len(order), 16):
                part = order[start : start + 16]
                ids, mask, roles, _ = tensors([rows[index] for index in part])
                predicted[part] = model(ids, mask, roles).argmax(-1).numpy()
            gold = np.array([row.label for row in rows])
            scores[f"{name}_macro_f1"] = macro_f1(gold, predicted)
            scores[f"{name}_accuracy"] = float((gold == predicted).mean())
            if name == "dse":
                scores |= {
                    f"dse_{key}": score for key, score in paired_scores(gold, predicted).items()
                }
    model.train()
    return {name: round(value, 4) for name, value in scores.items()}


def train(data: Path, out: Path, config: dict[str, Any]) -> None:
    """Runs or resumes the plan; `out/last.pt` is the result."""
    seed_everything(config["seed"])
    folder = minilm_folder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    planned = plan(config, data, StanceEncoder(tokenizer, config["max_length"]))
    dev = read_dev(data, tokenizer)
    model = StanceNetwork.from_encoder(folder, config["dropout"])
    optimizer = _optimizer(model, config)
    sizes = [sum(len(row.input_ids) for row in batch) for batch in planned]
    total, first = sum(sizes), 0
    state = load_checkpoint(out / "last.pt")
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    done = before = sum(sizes[:first])
    loss_of = nn.CrossEntropyLoss(label_smoothing=config["label_smoothing"])
    evaluated = {round(len(planned) * share) for share in EVALUATED_AT}
    started, smooth = time.monotonic(), 0.0
    model.train()
    for step, batch in enumerate(planned[first:], start=first + 1):
        rate = _rate(done / total, config["warmup_share"]) * config["learning_rate"]
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids, mask, roles, labels = tensors(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(ids, mask, roles)
        loss = loss_of(logits.float(), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        smooth = 0.98 * smooth + 0.02 * loss.item() if step > first + 1 else loss.item()
        done += sizes[step - 1]
        if step % LOG_STEPS == 0:
            speed = (done - before) / (time.monotonic() - started)
            left = (total - done) / speed / 60
            print(f"step {step}/{len(planned)} loss {smooth:.4f} {speed:.0f} tokens/s", end=" ")
            print(f"left {left:.1f} min", flush=True)
        if step % CHECKPOINT_STEPS == 0 or step == len(planned):
            parts = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            save_checkpoint(out / "last.pt", **parts, step=step)
        if step in evaluated:
            print("dev", step, json.dumps(evaluate(model, dev)), flush=True)


def _rate(progress: float, warmup: float) -> float:
    """Linear warm-up, then linear decay to zero, over the share of tokens read."""
    return min((progress + 1e-3) / warmup, (1 - progress) / (1 - warmup))


def _optimizer(model: nn.Module, config: dict[str, Any]) -> torch.optim.AdamW:
    vectors = [part for part in model.parameters() if part.ndim < 2]
    matrices = [part for part in model.parameters() if part.ndim >= 2]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": config["weight_decay"]},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=config["learning_rate"],
        betas=(0.9, 0.98),
        fused=True,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=CONFIG)
    arguments = parser.parse_args()
    train(arguments.data, arguments.out, read_config(arguments.config))


if __name__ == "__main__":
    main()
