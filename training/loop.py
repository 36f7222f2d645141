"""The training loop of the taggers: steps, average, checkpoints, resumption, log lines."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from training.common import (
    MovingAverage,
    batches_by_tokens,
    build_optimizer,
    load_checkpoint,
    save_checkpoint,
)

Row = TypeVar("Row")
LOG_STEPS = 50


class Loop(Generic[Row]):
    """Every batch of every epoch in an order that the seed alone decides.

    `epochs` holds the rows of each epoch, `length` the wordpieces of a row.
    """

    def __init__(
        self, epochs: Sequence[Sequence[Row]], length: Callable[[Row], int], config: dict[str, Any]
    ) -> None:
        self._epochs = epochs
        self._length = length
        self._config = config
        self.plan = [
            (epoch, batch)
            for epoch, rows in enumerate(epochs)
            for batch in batches_by_tokens(
                [length(row) for row in rows], config["tokens_per_batch"], config["seed"] + epoch
            )
        ]

    def run(
        self,
        model: nn.Module,
        out: Path,
        losses: Callable[[Sequence[Row]], Mapping[str, torch.Tensor]],
        ended: Callable[[int, dict[str, torch.Tensor]], None],
        begun: Callable[[int], None] | None = None,
    ) -> None:
        """Train, or go on from `out/last.pt`; the averaged weights end in `out/final.pt`.

        `losses` gives a batch's losses by name, which are added up; `ended` is told the number of
        each epoch that is done and the averaged weights, `begun` (from 0) of each that begins or,
        after a stop, goes on.
        """
        config = self._config
        optimizer, schedule = build_optimizer(
            model,
            lr=config["lr"],
            head_lr=config["head_lr"],
            weight_decay=config["weight_decay"],
            steps=len(self.plan),
            warmup=config["warmup"],
            layer_decay=config.get("layer_decay", 1.0),
        )
        average = MovingAverage(model, config["average_decay"])
        begin = 0
        if kept := load_checkpoint(out / "last.pt"):
            model.load_state_dict(kept["model"])
            optimizer.load_state_dict(kept["optimizer"])
            schedule.load_state_dict(kept["schedule"])
            average.state, average.updates = kept["average"], kept["updates"]
            begin = kept["step"]
        clock, tokens = time.monotonic(), 0
        sums: dict[str, float] = {}
        for step in range(begin, len(self.plan)):
            epoch, batch = self.plan[step]
            if begun and (step == begin or self.plan[step - 1][0] != epoch):
                begun(epoch)
            rows = [self._epochs[epoch][row] for row in batch]
            model.train()
            parts = losses(rows)
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(parts.values())).sum().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            average.update(model)
            tokens += sum(self._length(row) for row in rows)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value.item() / LOG_STEPS
            if (step + 1) % LOG_STEPS == 0:
                speed = tokens / (time.monotonic() - clock)
                shown = " ".join(f"{name} {value:.4f}" for name, value in sums.items())
                print(f"step {step + 1} {shown} {speed:.0f} tokens/s", flush=True)
                clock, tokens, sums = time.monotonic(), 0, {}
            is_end = step + 1 == len(self.plan) or self.plan[step + 1][0] != epoch
            if is_end or (step + 1) % config["checkpoint_steps"] == 0:
                save_checkpoint(
                    out / "last.pt",
                    model=model.state_dict(),
                    optimizer=optimizer.state_dict(),
                    schedule=schedule.state_dict(),
                    average=average.state,
                    updates=average.updates,
                    step=step + 1,
                )
            if is_end:
                save_checkpoint(out / "final.pt", model=average.state, epoch=epoch + 1)
                ended(epoch + 1, average.state)
                clock = time.monotonic()
