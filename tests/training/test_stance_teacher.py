"""The teacher answers in the plan's order, and its answers count where and as they should."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from training import stance
from training.common import minilm_folder, read_config
from training.distillation import UNKNOWN, distillation_loss
from training.stance_data import Encoded, Example, encode_all
from training.stance_model import StanceNetwork
from training.stance_teacher import Teacher, unlabelled
from workers.models.stance_inputs import StanceEncoder, StanceQuestion

CONFIG = read_config(stance.CONFIG.with_name("stance-distilled.toml"))
ARTICLE = (
    "Talks failed.\n"
    "Foreign Minister Anna Berg said on Monday that Bo Park of the Blue Union had lied.\n"
    "it rained, officials said."
)


def question(text: str, holder: str | None, target: str) -> StanceQuestion:
    return StanceQuestion(text, target, holder=holder)


@pytest.fixture
def network(tiny_encoder: Path) -> StanceNetwork:
    torch.manual_seed(5)
    return StanceNetwork.from_encoder(minilm_folder(), 0.3).eval()


@pytest.fixture
def encoder(tiny_encoder: Path) -> StanceEncoder:
    return StanceEncoder(Tokenizer.from_file(str(minilm_folder() / "tokenizer.json")), 64)


def batches(encoder: StanceEncoder) -> list[list[Encoded]]:
    text = "Anna Berg praised Bo Park in Oslo."
    rows = [
        Example(question(text, "Anna Berg", "Bo Park"), 0, "dse"),
        Example(question(text, "Bo Park", "Anna Berg"), 2, "synthetic"),
        Example(question(text + " It rained for days.", None, "Oslo"), UNKNOWN, "unlabelled"),
        Example(question(text, "Anna Berg", "Bo Park"), 0, "dse"),
    ]
    encoded = encode_all(rows, encoder)
    return [encoded[:3], encoded[3:]]


def test_the_teacher_answers_each_row_as_alone_and_no_invented_sentence(
    network: StanceNetwork, encoder: StanceEncoder
) -> None:
    planned = batches(encoder)
    teacher = Teacher(network, encoder, planned)
    first, second = teacher.logits(), teacher.logits()
    assert first[1].isnan().all()
    assert torch.equal(second[0], first[0])
    for place in (0, 2):
        row = planned[0][place]
        ids, roles = torch.tensor([row.input_ids]), torch.tensor([row.token_type_ids])
        with torch.no_grad():
            alone = network(ids, torch.ones_like(ids), roles)[0]
        assert (first[place] - alone).abs().max() < 0.02


def test_what_stops_the_teacher_stops_the_student(
    network: StanceNetwork, encoder: StanceEncoder
) -> None:
    blank = Encoded([1], [0], 0, question("Anna Berg left.", None, " "))
    teacher = Teacher(network, encoder, [[blank]])
    with pytest.raises(ValueError, match="target"):
        teacher.logits()


def test_gold_and_teacher_share_the_loss() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    silent = torch.full((1, 3), torch.nan)
    gold, none = torch.tensor([0]), torch.tensor([UNKNOWN])
    right = torch.nn.functional.cross_entropy(
        logits, gold, label_smoothing=CONFIG["label_smoothing"]
    )
    assert torch.isclose(distillation_loss(logits, gold, silent, CONFIG), right)
    # A teacher that says the same leaves the gold label's share.
    shared = distillation_loss(logits, gold, logits + 3, CONFIG)
    assert torch.isclose(shared, (1 - CONFIG["teacher_share"]) * right)
    assert distillation_loss(logits, none, logits, CONFIG) < 1e-6
    other = torch.tensor([[-1.0, 2.0, 0.5]])
    assert distillation_loss(logits, none, other, CONFIG) > 1


def test_the_loss_has_finite_gradients_where_the_teacher_is_silent() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0]], requires_grad=True)
    taught = torch.tensor([[torch.nan] * 3, [1.0, 0.0, -1.0]])
    distillation_loss(logits, torch.tensor([1, UNKNOWN]), taught, CONFIG).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert (logits.grad.abs().sum(-1) > 0).all()


def test_questions_that_nobody_answered_are_about_names_around_a_source(tmp_path: Path) -> None:
    start = ARTICLE.index("Foreign")
    source = [[start, start + len("Foreign Minister Anna Berg")]]
    late = ARTICLE.index("officials")
    article = {
        "text": ARTICLE,
        "attributions": [{"source": source}, {"source": []}, {"source": [[late, late + 9]]}],
    }
    path = tmp_path / "train.jsonl"
    path.write_text((json.dumps(article) + "\n") * 30)
    rows = list(unlabelled(path, 25, random.Random(1)))
    assert len(rows) == 25
    assert {row.label for row in rows} == {UNKNOWN}
    asked = [row.question for row in rows]
    assert {row.holder for row in asked} == {None, "Foreign Minister Anna Berg"}
    assert {row.target for row in asked} == {"Monday", "Bo Park of the Blue Union"}
    for row in asked:
        for spans, name in ((row.holder_spans, row.holder), (row.target_spans, row.target)):
            for begin, end in spans or ():
                assert row.text[begin:end] == name
