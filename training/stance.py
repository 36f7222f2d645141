"""Trains the stance model: `python -m training.stance --config … --data … --encoder … --out …`.

The whole schedule is planned before the first step (same seed, same batches), so a run
that was stopped goes on from its last checkpoint as if it had not been.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import tomllib
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from training.stance_data import (
    NEUTRAL, Encoded, batches, dse_groups, encode_all, read_nli, read_stance, repeated, varied,
)
from training.stance_model import StanceModel
from workers.models.stance_inputs import StanceEncoder

DEV = {"newsmtsc": 783, "vast": 400, "dse": 700, "perspectrum": 500}


def plan(config: dict[str, Any], data: Path, encoder: StanceEncoder) -> list[list[Encoded]]:
    """Every batch of the run, in order: the NLI warm-up first, then the stance mix."""
    rng = random.Random(config["seed"])
    passes = {name: times * config["scale"] for name, times in config["passes"].items()}
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
        shares = [sum(row.label == label for row in part) / len(part) for label in range(3)]
        print(name, len(part), "rows", sum(len(r.input_ids) for r in part), "tokens", shares, flush=True)
    return batches(warm, config["batch_tokens"], rng) + batches(main, config["batch_tokens"], rng)


def tensors(batch: list[Encoded]) -> tuple[torch.Tensor, ...]:
    """Ids, mask, roles (batch, length) and labels (batch), padded on the right."""
    length = max(len(row.input_ids) for row in batch)
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    mask = torch.zeros_like(ids)
    roles = torch.zeros_like(ids)
    for index, row in enumerate(batch):
        size = len(row.input_ids)
        ids[index, :size] = torch.tensor(row.input_ids)
        roles[index, :size] = torch.tensor(row.token_type_ids)
        mask[index, :size] = 1
    return ids, mask, roles, torch.tensor([row.label for row in batch])


def macro_f1(gold: list[int], predicted: list[int], classes: list[int]) -> float:
    scores = []
    for label in classes:
        hit = sum(g == p == label for g, p in zip(gold, predicted, strict=True))
        total = sum(g == label for g in gold) + sum(p == label for p in predicted)
        scores.append(2 * hit / total if total else 0.0)
    return sum(scores) / len(scores)


def evaluate(model: StanceModel, dev: dict[str, list[Encoded]]) -> dict[str, float]:
    model.eval()
    scores: dict[str, float] = {}
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for name, rows in dev.items():
            order = sorted(range(len(rows)), key=lambda index: len(rows[index].input_ids))
            predicted = [0] * len(rows)
            for start in range(0, len(order), 16):
                part = order[start : start + 16]
                ids, mask, roles, _ = tensors([rows[index] for index in part])
                for index, label in zip(part, model(ids, mask, roles).argmax(-1).tolist(), strict=True):
                    predicted[index] = label
            gold = [row.label for row in rows]
            classes = sorted(set(gold))
            scores[f"{name}_f1"] = macro_f1(gold, predicted, classes)
            scores[f"{name}_acc"] = sum(g == p for g, p in zip(gold, predicted, strict=True)) / len(gold)
            if name == "dse":
                both = [[3 * a + b for a, b in zip(x[::2], x[1::2], strict=True)] for x in (gold, predicted)]
                scores["dse5_f1"] = macro_f1(both[0], both[1], sorted(set(both[0])))
                scores["dse5_acc"] = sum(g == p for g, p in zip(*both, strict=True)) / len(both[0])
    model.train()
    return {name: round(value, 4) for name, value in scores.items()}


def train(config: dict[str, Any], data: Path, encoder_dir: Path, out: Path, threads: int, stop: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(config["seed"])
    tokenizer = Tokenizer.from_file(str(encoder_dir / "tokenizer.json"))
    encoder = StanceEncoder(tokenizer, config["max_length"])
    planned = plan(config, data, encoder)
    longer = StanceEncoder(tokenizer, 256)
    dev = {
        name: encode_all(read_stance(data / f"stance/{name}/dev.jsonl", name)[:size], longer)
        for name, size in DEV.items() if name != "vast"
    }
    vast = read_stance(data / "stance/vast/dev.jsonl", "vast")
    dev["vast"] = encode_all(random.Random(0).sample(vast, DEV["vast"]), longer)
    model = StanceModel.from_encoder(encoder_dir, config["dropout"])
    kept = [p for n, p in model.named_parameters() if p.ndim < 2]
    decayed = [p for n, p in model.named_parameters() if p.ndim >= 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config["weight_decay"]}, {"params": kept, "weight_decay": 0.0}],
        lr=config["learning_rate"], betas=(0.9, 0.98), fused=True,
    )
    sizes = [sum(len(row.input_ids) for row in batch) for batch in planned]
    total, done, first = sum(sizes), 0, 0
    out.mkdir(parents=True, exist_ok=True)
    saved = out / "last.pt"
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
        done = sum(sizes[:first])
        print("resumed at step", first, flush=True)
    loss_of = nn.CrossEntropyLoss(label_smoothing=config["label_smoothing"])
    eval_steps = {round(len(planned) * share) for share in (0.25, 0.5, 0.7, 0.85)} | {len(planned)}
    started, seen, running = time.monotonic(), 0, 0.0
    model.train()
    for step in range(first, len(planned)):
        progress = done / total
        warmup = config["warmup_share"]
        rate = config["learning_rate"] * min((progress + 1e-3) / warmup, (1 - progress) / (1 - warmup))
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids, mask, roles, labels = tensors(planned[step])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(ids, mask, roles)
        loss = loss_of(logits.float(), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        running = 0.98 * running + 0.02 * loss.item() if step > first else loss.item()
        done += sizes[step]
        seen += sizes[step]
        if (step + 1) % 20 == 0:
            speed = seen / (time.monotonic() - started)
            print(
                f"step {step + 1}/{len(planned)} loss {running:.4f} lr {rate:.2e} {speed:.0f} tokens/s"
                f" left {(total - done) / speed / 60:.1f} min", flush=True,
            )
        if (step + 1) % 300 == 0 or step + 1 == len(planned):
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, out / "writing.pt")
            (out / "writing.pt").rename(saved)
        if step + 1 in eval_steps:
            print("dev", step + 1, json.dumps(evaluate(model, dev)), flush=True)
        if stop and step + 1 >= stop:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("training/configs/stance.toml"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stop", type=int, default=0, help="stop after this step (a trial)")
    options = parser.parse_args()
    config = tomllib.loads(options.config.read_text())
    train(config, options.data, options.encoder, options.out, options.threads, options.stop)


if __name__ == "__main__":
    main()
