"""What each part of the entity tagger's training gives: short trainings without it.

python -m training.ablation --data DIR --out DIR --mpnet DIR [--only VARIANT …]

Every variant of `configs/ablation-ner.toml` is trained and measured in float32 in a folder of its
own below `--out`; one that has its result there is not run again, so several processes may share
the work. When all are there, prints the table and writes `benchmarks/results/ablation-ner.json`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, provenance
from training import ner
from training.common import checked_mpnet, load_checkpoint, read_config
from training.conll import read_conll

CONFIG = Path(__file__).parent / "configs" / "ablation-ner.toml"
RESULT = ROOT / "benchmarks/results/ablation-ner.json"


def variant_config(plan: dict[str, Any], variant: str) -> dict[str, Any]:
    """The whole training configuration of a variant; `train` names its data."""
    config = {**read_config(CONFIG.with_name(plan["base"])), **plan["shared"]}
    changes = dict(plan["variants"][variant])
    if "train" in changes:
        config["data"] = {**config["data"], "train": changes.pop("train")}
    if unknown := changes.keys() - config.keys() - ner.OPTIONAL:
        raise ValueError(f"{variant}: no such settings: {', '.join(sorted(unknown))}")
    return {**config, **changes}


def run(
    data: Path, out: Path, config: dict[str, Any], sets: dict[str, Any], mpnet: Path | None = None
) -> dict[str, Any]:
    """Train into `out` and measure: F1 by set, steps and seconds.

    Raises ValueError if the variant is one of MPNet and its folder is not given.
    """
    began = time.monotonic()
    ner.train(data, out, config, mpnet)
    seconds = time.monotonic() - began
    tokenizer = ner.open_tokenizer(config, mpnet)
    model = ner.network(config, mpnet)
    trained = load_checkpoint(out / "final.pt")
    assert trained is not None
    model.load_state_dict(trained["model"])
    f1 = {}
    for name, chosen in sets.items():
        documents = [ner.label_document(tokenizer, d) for d in read_conll(data / chosen["file"])]
        if capitals := chosen.get("upper_sentences"):
            documents = [_in_capitals(document, capitals) for document in documents]
        f1[name] = round(ner.evaluate(model, documents, tokenizer)["f1"], 4)
    last = load_checkpoint(out / "last.pt")
    return {"f1": f1, "steps": last["step"] if last else None, "seconds": round(seconds)}


def _in_capitals(document: ner.LabelledDocument, share: float) -> ner.LabelledDocument:
    others = dict.fromkeys(("title_sentences", "lower_sentences", "word_mask"), 0.0)
    changed = ner.reshaped(document, random.Random(0), {**others, "upper_sentences": share}, 0)
    return replace(document, encoded=changed)


def table(results: dict[str, Any]) -> str:
    """Markdown: a variant a line, F1 in points."""
    sets = list(next(iter(results.values()))["f1"])
    lines = ["| | " + " | ".join(sets) + " |", "|---" * (len(sets) + 1) + "|"]
    for variant, result in results.items():
        figures = " | ".join(f"{100 * result['f1'][name]:.1f}" for name in sets)
        lines.append(f"| {variant} | {figures} |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.ablation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoints")
    parser.add_argument("--mpnet", type=Path, help="folder of all-mpnet-base-v2")
    parser.add_argument("--only", action="append", help="this variant; may be given again")
    chosen = parser.parse_args()
    if chosen.mpnet is not None:
        checked_mpnet(chosen.mpnet)
    plan = read_config(CONFIG)
    if unknown := set(chosen.only or ()) - plan["variants"].keys():
        parser.error(f"no such variants: {', '.join(sorted(unknown))}")
    files = {
        variant: chosen.out / re.sub(r"\W+", "-", variant) / "result.json"
        for variant in plan["variants"]
    }
    for variant in chosen.only or plan["variants"]:
        file = files[variant]
        if not file.is_file():
            config = variant_config(plan, variant)
            result = run(chosen.data, file.parent, config, plan["sets"], chosen.mpnet)
            file.write_text(json.dumps({**result, **provenance()}, indent=1) + "\n", "utf-8")
        print(f"{variant}: {file.read_text('utf-8')}", flush=True)
    if not all(file.is_file() for file in files.values()):
        return
    results = {variant: json.loads(file.read_text("utf-8")) for variant, file in files.items()}
    whole = {
        "benchmark": "ablation",
        "command": "python -m training.ablation --data DIR --out DIR --mpnet DIR",
        "variants": results,
    }
    RESULT.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
