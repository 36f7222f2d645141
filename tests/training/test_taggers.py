"""Train, stop, go on, export and run: the whole way of both taggers with a tiny encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from torch import nn

from tests.training.conftest import ARTICLE
from training import attribution, ner, taggers
from training.attribution import taught_tags
from training.attribution_data import epoch_rows, read_articles
from training.attribution_model import AttributionNetwork
from training.attribution_teacher import found_cues, read_unlabelled, taught_article
from training.common import load_checkpoint, minilm_folder, read_config, sha256_of
from training.export import export_attribution, export_ner
from training.mpnet import BLOCK, four_bits, round_feed, with_byte_dropout
from training.shipped_weights import load_shipped_attribution
from training.taggers_export import export_taggers
from workers.models.attribution import TAG_LABELS, AttributionModel
from workers.models.manifest import ModelCorruptError
from workers.models.sessions import open_tokenizer
from workers.models.token_tagger import TokenTagger
from workers.models.words import split_words

CONFIGS = Path(ner.__file__).parent / "configs"


def small(task: str, **changes: Any) -> dict[str, Any]:
    config = read_config(CONFIGS / f"{task}.toml")
    return {**config, "epochs": 2, "max_length": 32, "tokens_per_batch": 64, **changes}


def test_the_entity_tagger_learns_resumes_exports_and_runs(
    tiny_encoder: Path, data: Path, tmp_path: Path
) -> None:
    names = {"train": ["few.conll"], "dev": "few.conll"}
    out = tmp_path / "out"
    ner.train(data, out, small("ner", data=names, checkpoint_steps=1))
    last = load_checkpoint(out / "last.pt")
    assert last is not None
    ner.train(data, out, small("ner", data=names))
    resumed = load_checkpoint(out / "last.pt")
    assert resumed is not None
    assert resumed["step"] == last["step"]
    assert all(torch.equal(resumed["model"][name], last["model"][name]) for name in last["model"])

    words = split_words("Anna Berg flew to Oslo.")
    found = {}
    for keep_float in (True, False):
        folder = tmp_path / f"model-{keep_float}"
        export_ner(out / "final.pt", folder, keep_float=keep_float)
        tagger = TokenTagger.load(folder)
        [logits] = tagger.tag(tagger.windows(words, frozenset({0})))
        assert logits.shape == (len(words), len(ner.LABELS))
        found[keep_float] = logits
    assert np.abs(found[True] - found[False]).max() < 0.5
    assert not np.array_equal(found[True], found[False])


def test_training_changes_the_weights_and_lowers_the_loss(
    tiny_encoder: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"train": ["few.conll"], "dev": "few.conll"}
    ner.train(data, tmp_path / "long", small("ner", data=names, epochs=120, lr=5e-3, head_lr=5e-3))
    losses = [
        float(line.split()[3])
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("step")
    ]
    assert len(losses) >= 2
    assert losses[-1] < losses[0] / 2


def test_the_attribution_model_trains_exports_and_runs(
    tiny_encoder: Path, data: Path, tmp_path: Path
) -> None:
    names = {"train": "few.jsonl", "dev": "few.jsonl"}
    attribution.train(data, tmp_path / "out", small("attribution", data=names))
    folder = tmp_path / "model"
    export_attribution(tmp_path / "out" / "final.pt", folder, keep_float=False)
    model = AttributionModel.load(folder)
    words = split_words(ARTICLE)
    [tagged] = model.tag(model.windows(words, frozenset({0})))
    links = model.link(tagged.features[:6], [3, 2, 0, 1, 2, 3])
    assert tagged.logits.shape[0] == len(words)
    assert links.shape == (6, 3)
    assert np.isfinite(links).all()


def teacher_of(data: Path, tmp_path: Path) -> Path:
    """The folder of an attribution model that was trained for a moment."""
    names = {"train": "few.jsonl", "dev": "few.jsonl"}
    attribution.train(data, tmp_path / "taught", small("attribution", data=names))
    folder = tmp_path / "teacher"
    export_attribution(tmp_path / "taught" / "final.pt", folder, keep_float=True)
    return folder


def test_an_attribution_model_learns_from_another_and_goes_on(
    tiny_encoder: Path, data: Path, tmp_path: Path
) -> None:
    teacher = teacher_of(data, tmp_path)
    rows = [{"text": "Bo Park said it rained."}, {"text": "Bo Park said it rained."}]
    (data / "stance.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    names = {"train": "few.jsonl", "dev": "few.jsonl", "unlabelled": ["few.conll", "stance.jsonl"]}
    config = small("attribution-distilled", data=names, checkpoint_steps=1)
    out = tmp_path / "out"
    attribution.train(data, out, config, teacher, start=teacher)
    last = load_checkpoint(out / "last.pt")
    # The teacher's answers are kept: a run that goes on does not ask again.
    written = (out / "taught.pt").stat().st_mtime_ns
    attribution.train(data, out, config, teacher, start=teacher)
    resumed = load_checkpoint(out / "last.pt")
    assert last is not None
    assert resumed is not None
    assert (out / "taught.pt").stat().st_mtime_ns == written
    assert resumed["step"] == last["step"]

    file = CONFIGS / "attribution-distilled.toml"
    folder = tmp_path / "student"
    export_attribution(
        out / "final.pt", folder, keep_float=False, file=file, teacher=teacher, start=teacher
    )
    told = AttributionModel.load(folder).manifest.document["training"]
    assert told["teacher_sha256"] == sha256_of(teacher / "model.onnx")
    assert told["config"]["teacher_share"] == config["teacher_share"]


def test_an_attribution_model_goes_on_from_shipped_weights_and_ships_a_mean(
    tiny_encoder: Path, data: Path, tmp_path: Path
) -> None:
    start = teacher_of(data, tmp_path)
    kept = load_checkpoint(tmp_path / "taught" / "final.pt")
    assert kept is not None
    begun = network()
    load_shipped_attribution(begun, start)
    for name, parameter in begun.named_parameters():
        assert torch.allclose(parameter, kept["model"][name], atol=1e-6), name

    # No step is made: what the training began with is what it ends with.
    names = {"train": "few.jsonl", "dev": "few.jsonl"}
    still = small("attribution", data=names, epochs=1, lr=0.0, head_lr=0.0)
    attribution.train(data, tmp_path / "still", still, start=start)
    unmoved = load_checkpoint(tmp_path / "still" / "final.pt")
    assert unmoved is not None
    for name, parameter in begun.named_parameters():
        assert torch.allclose(parameter, unmoved["model"][name], atol=1e-6), name

    out, file = tmp_path / "out", tmp_path / "mixed.toml"
    moved_on = small("attribution", data=names, lr=5e-3, head_lr=5e-3)
    attribution.train(data, out, moved_on, start=start)
    moved = load_checkpoint(out / "final.pt")
    assert moved is not None
    text = (CONFIGS / "attribution.toml").read_text("utf-8")
    file.write_text("trained_share = 0.25\n" + text, "utf-8")
    with pytest.raises(ValueError, match="where did the training start"):
        export_attribution(out / "final.pt", tmp_path / "x", keep_float=True, file=file)
    folder, shipped = tmp_path / "mixed", network()
    export_attribution(out / "final.pt", folder, keep_float=True, file=file, start=start)
    load_shipped_attribution(shipped, folder)
    for name, parameter in shipped.named_parameters():
        wanted = 0.75 * kept["model"][name] + 0.25 * moved["model"][name]
        assert torch.allclose(parameter, wanted, atol=1e-5), name
    told = AttributionModel.load(folder).manifest.document["training"]
    assert told["start_sha256"] == sha256_of(start / "model.onnx")


def network() -> AttributionNetwork:
    config = read_config(CONFIGS / "attribution.toml")
    return AttributionNetwork(config["reader_width"], config["reader_layers"], config["dropout"])


def test_a_teacher_answers_for_every_word_and_cue_as_at_run_time(
    tiny_encoder: Path, data: Path, tmp_path: Path
) -> None:
    folder = teacher_of(data, tmp_path)
    model = AttributionModel.load(folder)
    tokenizer = open_tokenizer(folder / "tokenizer.json")
    config = small("attribution-distilled", max_length=256)
    [article, *_] = read_articles(data / "few.jsonl", tokenizer)
    taught = taught_article(article, model, tokenizer, config)
    words = split_words(ARTICLE)
    [tagged] = model.tag(model.windows(words, frozenset()))
    assert taught.taught is not None
    assert np.allclose(taught.taught, tagged.logits, atol=1e-4)
    [link] = taught.links
    assert link.gold
    assert link.taught is not None
    assert link.taught.shape == (len(words), 3)
    assert np.isnan(link.told(len(words))).all()
    # The same answers reach the batch of a window that is cut elsewhere.
    [row, *_] = epoch_rows([taught], tokenizer, {**config, "word_mask": 0.0}, seed=1)
    [tags] = taught_tags([row], len(row.window.input_ids))
    places = list(row.window.positions)
    assert np.allclose(tags[places], taught.taught[row.window.first_word : row.window.last_word])
    assert tags[0].isnan().all()


def test_cues_that_a_teacher_finds_are_runs_of_cue_words() -> None:
    tags = [0, 3, 4, 0, 4, 3, 3, 4]
    assert [TAG_LABELS[tag] for tag in (3, 4)] == ["B-CUE", "I-CUE"]
    assert found_cues(np.eye(len(TAG_LABELS), dtype=np.float32)[tags]) == [
        (1, 3),
        (4, 5),
        (5, 6),
        (6, 8),
    ]


def test_unlabelled_texts_are_documents_and_passages(tiny_encoder: Path, data: Path) -> None:
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    rows = [{"text": f"Sentence {number}\nof many."} for number in (*range(30), 1)]
    (data / "many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    articles = read_unlabelled(data, ["few.conll", "many.jsonl"], tokenizer, seed=3)
    documents, passages = articles[:4], articles[4:]
    assert [" ".join(word.text for word in a.encoded.words) for a in documents] == [
        "Anna Berg flew to Oslo . The United Front met ."
    ] * 4
    assert [len(a.breaks) + 1 for a in passages] == [12, 12, 6]
    assert all(label == ner.IGNORED for a in articles for label in a.tags)


def test_words_without_label_and_teacher_do_not_count() -> None:
    config = {"teacher_share": 0.5, "temperature": 1.0}
    labels = torch.tensor([[0, ner.IGNORED, ner.IGNORED]])
    logits = torch.tensor([[[0.0, 1.0], [2.0, 0.0], [3.0, 3.0]]])
    taught = torch.full((1, 3, 2), torch.nan)
    plain = nn.functional.cross_entropy(logits[0, :1], labels[0, :1])
    assert torch.isclose(attribution.words_loss(logits, labels, taught, config), plain)
    taught[0, 1] = logits[0, 1]
    assert torch.isclose(attribution.words_loss(logits, labels, taught, config), plain / 2)


def test_a_changed_file_no_longer_loads(tiny_encoder: Path, data: Path, tmp_path: Path) -> None:
    names = {"train": ["few.conll"], "dev": "few.conll"}
    ner.train(data, tmp_path / "out", small("ner", data=names, epochs=1))
    folder = tmp_path / "model"
    export_ner(tmp_path / "out" / "final.pt", folder, keep_float=False)
    with (folder / "model.onnx").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ModelCorruptError, match=r"model\.onnx"):
        TokenTagger.load(folder)


def test_the_shared_taggers_train_resume_export_and_run(
    tiny_mpnet: Path, data: Path, tmp_path: Path
) -> None:
    names = {
        "entities": ["few.conll"],
        "entities_dev": "few.conll",
        "attributions": "few.jsonl",
        "attributions_dev": "few.jsonl",
    }
    config = small("taggers-mpnet", data=names, checkpoint_steps=1, layers=1, threads=1)
    out = tmp_path / "out"
    taggers.train(data, out, config, tiny_mpnet)
    last = load_checkpoint(out / "last.pt")
    taggers.train(data, out, config, tiny_mpnet)
    resumed = load_checkpoint(out / "last.pt")
    assert last is not None
    assert resumed is not None
    assert resumed["step"] == last["step"]

    export_taggers(out / "final.pt", tmp_path / "models", config, tiny_mpnet)
    tagger = TokenTagger.load(tmp_path / "models/ner-accurate")
    model = AttributionModel.load(tmp_path / "models/attribution-accurate")
    words = split_words(ARTICLE)
    windows = tagger.windows(words, frozenset({0}))
    [rows] = tagger.tag(windows)
    [tagged] = model.tag(model.windows(words, frozenset({0})))
    assert rows.shape == (len(words), len(ner.LABELS))
    assert tagged.logits.shape == (len(words), 7)
    # The last epoch computed with the weights that ship: the graph answers as torch does.
    trained = taggers.SharedTaggers(tiny_mpnet, config)
    trained.load_state_dict(load_checkpoint(out / "final.pt")["model"])
    round_feed(trained.shared.encoder, rounded=True)
    trained.eval()
    with torch.no_grad():
        exact = trained(**ner.tensors(windows))[0].numpy()
    positions = [position for position in windows[0].positions if position >= 0]
    assert np.abs(rows - exact[positions]).max() < 0.05


def test_four_bit_weights_are_few_near_and_stay() -> None:
    weight = torch.randn(5, 2 * BLOCK, generator=torch.Generator().manual_seed(1))
    weight[0, :BLOCK] = 0.0
    grid = four_bits(weight)
    assert torch.equal(four_bits(grid), grid)
    blocks, nearest = weight.reshape(-1, BLOCK), grid.reshape(-1, BLOCK)
    assert max(len(block.unique()) for block in nearest) <= 16
    # Half a step, but for what lies beyond the seventh on the side of the other sign.
    assert ((blocks - nearest).abs() <= blocks.abs().amax(1, keepdim=True) / 8 + 1e-6).all()
    with pytest.raises(ValueError, match="no whole blocks"):
        four_bits(torch.zeros(3, BLOCK + 1))


def test_byte_dropout_keeps_the_mean_and_drops_its_share() -> None:
    torch.manual_seed(3)
    part = nn.Sequential(nn.Dropout(0.1))
    with_byte_dropout(part)
    states = torch.ones(301, 333)
    told = part(states)
    assert abs((told == 0).float().mean().item() - round(0.1 * 256) / 256) < 0.005
    assert abs(told.mean().item() - 1) < 0.005
    assert len(told.unique()) == 2
    torch.manual_seed(3)
    assert torch.equal(told, part(states))
    assert torch.equal(part.eval()(states), states)
