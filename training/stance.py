"""Train a stance model: MiniLM or MPNet with role embeddings over questions of all stance sets.

python -m training.stance --data DIR --out DIR [--config FILE] [--mpnet DIR] [--start DIR]
    [--teacher DIR]

The whole schedule is planned before the first step (same seed, same batches), so a run that
was stopped goes on from its last checkpoint with the batches that were left.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from training.common import (
    checked_mpnet,
    load_checkpoint,
    minilm_folder,
    mixed_precision,
    padded,
    read_config,
    save_checkpoint,
    seed_everything,
    sha256_of,
)
from training.distillation import distillation_loss
from training.mpnet import with_byte_dropout
from training.shipped_weights import load_shipped
from training.stance_data import (
    Encoded,
    Example,
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
from training.stance_synthetic import synthetic
from training.stance_teacher import Teacher, unlabelled
from workers.models.manifest import load_manifest
from workers.models.sessions import open_tokenizer
from workers.models.stance_inputs import StanceEncoder

CONFIG = Path(__file__).parent / "configs" / "stance.toml"
# Rows of each dev set that are scored during training; a twentieth of the time at most.
DEV_ROWS = {"newsmtsc": 783, "vast": 400, "dse": 700, "perspectrum": 500}
DEV_LENGTH = 256
# Articles whose questions only a teacher answers.
UNLABELLED = "attribution/polnear/train.jsonl"
NLI_FILES = {"nli_sick": "sick.jsonl", "nli_mnli": "mnli_dev_matched.jsonl"}
EVALUATED_AT = (0.5, 0.8, 1.0)
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
    nli: list[Example] = []
    for name, file in NLI_FILES.items():
        if name in passes:
            nli += repeated(read_nli(data / "nli" / file), passes[name], rng)
    rows = [row for name, part in sets.items() for row in repeated(part, passes[name], rng)]
    mixed = list(varied(rows, names, topics, config["mix"], rng))
    mixed += synthetic(config.get("synthetic", 0), rng)
    if "unlabelled" in config:
        mixed += unlabelled(data / UNLABELLED, config["unlabelled"], rng)
    main = encode_all(mixed, encoder)
    warm = encode_all(nli, encoder)
    for name, part in (("warm-up", warm), ("main", main)):
        tokens = sum(len(row.input_ids) for row in part)
        counts = [sum(row.label == label for row in part) for label in range(3)]
        print(name, len(part), "rows", tokens, "tokens, labels", counts, flush=True)
    size = config["batch_tokens"]
    planned = batches(warm, size, rng) + batches(main, size, rng)
    if "later" not in config:
        return planned
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
    with torch.no_grad(), mixed_precision():
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


def train(
    data: Path,
    out: Path,
    config: dict[str, Any],
    *,
    encoder: Path,
    minutes: float,
    threads: int,
    start: Path | None = None,
    teacher: Path | None = None,
    mpnet: Path | None = None,
) -> None:
    """Runs or resumes the plan; `out/last.pt` is the result.

    With `start`, the folder of a shipped stance model, its weights are trained further. With
    `teacher`, the folder of another, its answers are learned beside the gold labels; `mpnet` is
    the teacher's encoder if it is one.

    Where the machine is too slow for the plan, the rate decays by the clock instead and the run
    ends after `minutes`.
    """
    seed_everything(config["seed"], threads)
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    planned = plan(config, data, StanceEncoder(tokenizer, config["max_length"]))
    dev = read_dev(data, tokenizer)
    model = network(encoder, config)
    if start is not None:
        load_shipped(model, start / "model.onnx")
    freeze(model, config.get("frozen_layers", 0))
    with_byte_dropout(model)
    optimizer = _optimizer(model, config)
    rates = [group["lr"] for group in optimizer.param_groups]
    sizes = [sum(len(row.input_ids) for row in batch) for batch in planned]
    total, first, before_stop = sum(sizes), 0, 0.0
    state = load_checkpoint(out / "last.pt")
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first, before_stop = state["step"], state.get("seconds", 0.0)
        torch.set_rng_state(state["torch_rng"])
    done = before = sum(sizes[:first])
    loss_of = nn.CrossEntropyLoss(label_smoothing=config["label_smoothing"])
    taught = None
    if teacher is not None:
        taught = Teacher(*load_teacher(teacher, mpnet), planned[first:])
    evaluated = {round(len(planned) * share) for share in EVALUATED_AT}
    started, smooth = time.monotonic(), 0.0
    model.train()
    for step, batch in enumerate(planned[first:], start=first + 1):
        seconds = before_stop + time.monotonic() - started
        progress = max(done / total, seconds / (60 * minutes))
        last = progress >= 1 or step == len(planned)
        rate = _rate(min(progress, 1.0), config["warmup_share"])
        for group, highest in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * highest
        ids, mask, roles, labels = tensors(batch)
        with mixed_precision():
            logits = model(ids, mask, roles)
        if taught is None:
            loss = loss_of(logits.float(), labels)
        else:
            loss = distillation_loss(logits.float(), labels, taught.logits(), config)
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
            print(f"rate {rate:.3f} left {left:.1f} min", flush=True)
        if step % CHECKPOINT_STEPS == 0 or last:
            save_checkpoint(
                out / "last.pt",
                model=model.state_dict(),
                optimizer=optimizer.state_dict(),
                step=step,
                seconds=before_stop + time.monotonic() - started,
                torch_rng=torch.get_rng_state(),
                start=sha256_of(start / "model.onnx") if start else None,
                teacher=sha256_of(teacher / "model.onnx") if teacher else None,
            )
        if step in evaluated or last:
            print("dev", step, json.dumps(evaluate(model, dev)), flush=True)
        if last:
            break


def is_mpnet(config: dict[str, Any]) -> bool:
    """Whether the configuration names MPNet; otherwise it is MiniLM."""
    return bool(config.get("encoder", "minilm") == "mpnet")


def encoder_folder(config: dict[str, Any], mpnet: Path | None) -> Path:
    """The checked folder of the configuration's pretrained encoder.

    Raises ValueError if it is MPNet and no folder is given, or the weights are not the official
    ones.
    """
    if not is_mpnet(config):
        return minilm_folder()
    if mpnet is None:
        raise ValueError("this configuration needs --mpnet, the folder of all-mpnet-base-v2")
    return checked_mpnet(mpnet)


def network(encoder: Path, config: dict[str, Any]) -> StanceNetwork:
    """The untrained network over the encoder that the configuration names."""
    if is_mpnet(config):
        return StanceNetwork.from_mpnet(encoder, config["dropout"])
    return StanceNetwork.from_encoder(encoder, config["dropout"])


def load_teacher(folder: Path, mpnet: Path | None) -> tuple[StanceNetwork, StanceEncoder]:
    """The network of a shipped stance model, and what encodes its questions.

    Raises ModelError or ValueError.
    """
    manifest = load_manifest(folder, "stance")
    config = {**manifest.document["training"]["config"], "dropout": 0.0}
    model = network(encoder_folder(config, mpnet), config)
    load_shipped(model, folder / "model.onnx")
    return model, StanceEncoder(open_tokenizer(folder / "tokenizer.json"), config["max_length"])


def freeze(model: StanceNetwork, layers: int) -> None:
    """Keeps the embeddings and the lowest `layers` layers as they are (none at 0).

    What stays is neither differentiated nor stored anew, and a replaced model differs less.
    """
    if not layers:
        return
    for name, parameter in model.encoder.named_parameters():
        found = re.search(r"\.layer\.(\d+)\.", name)
        parameter.requires_grad = found is not None and int(found[1]) >= layers


def _rate(progress: float, warmup: float) -> float:
    """Linear warm-up, then linear decay to zero, over the share of tokens read."""
    return min((progress + 1e-3) / warmup, (1 - progress) / (1 - warmup))


def _optimizer(model: StanceNetwork, config: dict[str, Any]) -> torch.optim.AdamW:
    """AdamW; each layer below the top learns `layer_decay` times as fast (Howard and Ruder 2018),
    what starts from nothing `head_learning_rate` fast; no decay on vectors."""
    rate, shrink = config["learning_rate"], config.get("layer_decay", 1.0)
    fresh = config.get("head_learning_rate", rate)
    layers = model.encoder.config.num_hidden_layers
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, part in model.named_parameters():
        if not part.requires_grad:
            continue
        found = re.search(r"\.layer\.(\d+)\.", name)
        below = layers - 1 - int(found[1]) if found else layers
        own = fresh if name.startswith(("head.", "encoder.roles.")) else rate * shrink**below
        groups.setdefault((own, part.ndim >= 2), []).append(part)
    return torch.optim.AdamW(
        [
            {"params": parts, "lr": own, "weight_decay": config["weight_decay"] * matrix}
            for (own, matrix), parts in groups.items()
        ],
        betas=(0.9, 0.98),
        fused=True,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--mpnet", type=Path, help="folder of all-mpnet-base-v2")
    parser.add_argument("--start", type=Path, help="folder of a stance model to train further")
    parser.add_argument("--teacher", type=Path, help="folder of a stance model to learn from")
    parser.add_argument("--minutes", type=float, default=1e6, help="end by the clock")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    config = read_config(arguments.config)
    train(
        arguments.data,
        arguments.out,
        config,
        encoder=encoder_folder(config, arguments.mpnet),
        minutes=arguments.minutes,
        threads=arguments.threads,
        start=arguments.start,
        teacher=arguments.teacher,
        mpnet=arguments.mpnet,
    )


if __name__ == "__main__":
    main()
