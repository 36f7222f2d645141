"""The entity tagger's network and loss as a configuration describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from training import ner
from training.common import read_config
from workers.models.case_shapes import CaseShape

CONFIG: dict[str, Any] = read_config(Path(ner.__file__).parent / "configs" / "ner.toml")


def logits_and_labels() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, len(ner.LABELS), generator=generator)
    return logits, torch.tensor([[0, 1, ner.IGNORED], [2, ner.IGNORED, ner.IGNORED]])


def test_the_loss_of_one_pass_is_the_mean_cross_entropy_of_the_labelled_words() -> None:
    logits, labels = logits_and_labels()
    found = ner.tagging_loss([logits], labels, smoothing=0.1, r_drop=0.0)
    expected = nn.CrossEntropyLoss(ignore_index=ner.IGNORED, label_smoothing=0.1)
    assert found.item() == pytest.approx(expected(logits.flatten(0, 1), labels.flatten()).item())


def test_two_passes_that_agree_cost_what_one_does() -> None:
    logits, labels = logits_and_labels()
    one = ner.tagging_loss([logits], labels, smoothing=0.0, r_drop=0.0)
    both = ner.tagging_loss([logits, logits], labels, smoothing=0.0, r_drop=5.0)
    assert both.item() == pytest.approx(one.item())


def test_two_passes_that_differ_pay_for_their_divergence_on_labelled_words_alone() -> None:
    logits, labels = logits_and_labels()
    changed = logits.clone()
    changed[labels == ner.IGNORED] += 3.0 * torch.eye(len(ner.LABELS))[0]
    passes = [logits, changed]
    same = ner.tagging_loss(passes, labels, smoothing=0.0, r_drop=5.0)
    assert same.item() == pytest.approx(
        ner.tagging_loss([logits], labels, smoothing=0.0, r_drop=0.0).item()
    )
    changed[0, 0, 4] += 2.0
    plain = ner.tagging_loss(passes, labels, smoothing=0.0, r_drop=0.0)
    paid = ner.tagging_loss(passes, labels, smoothing=0.0, r_drop=2.0)
    one, other = (rows[0, 0].softmax(-1) for rows in passes)
    divergence = ((one - other) * (one / other).log()).sum()
    assert (paid - plain).item() == pytest.approx(2.0 * divergence.item() / 2 / 3, rel=1e-4)


def test_layers_of_mpnet_take_the_place_of_minilm_and_see_case_shapes(tiny_mpnet: Path) -> None:
    model = ner.network({**CONFIG, "mpnet_layers": 1}, tiny_mpnet).eval()
    assert model.encoder.config.num_hidden_layers == 1
    ids = torch.tensor([[0, 2000, 2001, 2]])
    mask = torch.ones_like(ids)
    lower = torch.full_like(ids, int(CaseShape.LOWER))
    upper = torch.full_like(ids, int(CaseShape.UPPER))
    with torch.no_grad():
        answers = [model(ids, mask, shapes) for shapes in (lower, upper)]
    assert answers[0].shape == (1, 4, len(ner.LABELS))
    assert not torch.allclose(*answers)


def test_layers_of_mpnet_without_its_folder_are_refused() -> None:
    with pytest.raises(ValueError, match="mpnet_layers"):
        ner.network({**CONFIG, "mpnet_layers": 6})
