from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training import common
from workers.models.case_shapes import SHAPE_COUNT


def test_an_encoder_that_is_not_the_official_one_is_refused(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "MINILM_SHA256", "0" * 64)
    with pytest.raises(ValueError, match="sha256"):
        common.minilm_folder()


def test_the_token_type_table_grows_to_the_case_shapes_and_keeps_its_first_row(
    tiny_encoder: Path,
) -> None:
    original = common.BertModel.from_pretrained(common.minilm_folder(), add_pooling_layer=False)
    first = original.embeddings.token_type_embeddings.weight[0]
    table = common.load_encoder().embeddings.token_type_embeddings.weight
    assert table.shape == (SHAPE_COUNT, first.shape[0])
    assert torch.equal(table[0], first)
    assert not torch.equal(table[1], first)


def test_batches_hold_each_row_once_and_stay_under_the_budget() -> None:
    lengths = [5, 30, 7, 12, 30, 1, 18, 9]
    batches = common.batches_by_tokens(lengths, budget=40, seed=3)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(b) * max(lengths[row] for row in b) <= 40 for b in batches)
    assert batches == common.batches_by_tokens(lengths, budget=40, seed=3)


def test_the_average_moves_towards_the_model() -> None:
    model = torch.nn.Linear(2, 1, bias=False)
    model.weight.data.zero_()
    average = common.MovingAverage(model, decay=0.5)
    model.weight.data.fill_(1.0)
    average.update(model)
    moved = average.state["weight"]
    assert torch.all((moved > 0) & (moved <= 1))


def test_the_rate_rises_then_falls_to_nothing() -> None:
    model = torch.nn.Linear(2, 1)
    optimizer, schedule = common.build_optimizer(
        model, lr=1.0, head_lr=1.0, weight_decay=0.0, steps=10, warmup=0.2
    )
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[0] < rates[1] == max(rates)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.0)
