"""The way of an article through the running service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import jsonschema
import pytest

from client import NewArticle, StancewireClient
from client.errors import GoneError, NotFoundError


def spans(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in an analysis that has a start, an end and its text."""
    if isinstance(value, dict):
        if {"start", "end", "text"} <= value.keys():
            yield value
        for inner in value.values():
            yield from spans(inner)
    if isinstance(value, list):
        for inner in value:
            yield from spans(inner)


def cut(text: str, unit: str, start: int, end: int) -> str:
    """What a program that counts in `unit` finds between two offsets."""
    if unit == "utf16":
        return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")
    if unit == "utf8":
        return text.encode("utf-8")[start:end].decode("utf-8")
    return text[start:end]


def test_every_sample_article_yields_people_statements_and_stances(
    analysed: dict[str, dict[str, Any]],
) -> None:
    for name, analysis in analysed.items():
        types = {entity["type"] for entity in analysis["entities"]}
        assert {"PER", "LOC"} <= types, name
        assert analysis["attributions"], name
        assert analysis["stances"], name
    labels = {stance["label"] for analysis in analysed.values() for stance in analysis["stances"]}
    assert {"against", "neutral"} <= labels


def test_every_span_is_its_text_on_the_text_that_the_analysis_names(
    analysed: dict[str, dict[str, Any]], seed_texts: dict[str, str]
) -> None:
    for name, analysis in analysed.items():
        text = seed_texts[name]
        assert analysis["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
        found = list(spans(analysis))
        assert len(found) > 50, name
        for span in found:
            assert text[span["start"] : span["end"]] == span["text"]


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "utf8"])
def test_offsets_count_in_the_unit_that_is_asked_for(client: StancewireClient, unit: Any) -> None:
    text = (
        "😀 “Élan” 🇫🇷: President Anna Müller said that 𝒳-Corp was “not fair” to Zoë. 😀\r\n\r\nEnd."
    )
    receipt = client.submit(NewArticle(text))
    assert client.wait(receipt.job_id, timeout=60).state == "succeeded"

    analysis = client.analysis(receipt.article_id, offsets=unit)

    assert analysis["offsets"] == unit
    assert any(span["start"] > 2 for span in spans(analysis))
    for span in spans(analysis):
        assert cut(text, unit, span["start"], span["end"]) == span["text"]


def test_entities_mentions_and_evidence_refer_to_each_other(
    analysed: dict[str, dict[str, Any]],
) -> None:
    for analysis in analysed.values():
        mentions = {mention["id"]: mention for mention in analysis["mentions"]}
        sentences = {sentence["id"] for sentence in analysis["sentences"]}
        entities = {entity["id"] for entity in analysis["entities"]}
        attributions = {attribution["id"] for attribution in analysis["attributions"]}
        for entity in analysis["entities"]:
            assert {mentions[found]["entity_id"] for found in entity["mention_ids"]} == {
                entity["id"]
            }
        for mention in mentions.values():
            assert mention["sentence_id"] in sentences
        for attribution in analysis["attributions"]:
            assert attribution["source"]["entity_id"] in entities | {None}
        for stance in analysis["stances"]:
            assert (stance["label"] is None) != (stance["abstention"] is None)
            for evidence in stance["evidence"]:
                assert evidence["sentence_id"] in sentences
                assert evidence["attribution_id"] in attributions | {None}


def test_the_same_article_gives_the_same_analysis_again(
    client: StancewireClient, analysed: dict[str, dict[str, Any]], seed_texts: dict[str, str]
) -> None:
    name = next(iter(seed_texts))
    receipt = client.submit(NewArticle(seed_texts[name]))
    client.wait(receipt.job_id, timeout=60)

    again = client.analysis(receipt.article_id)

    own = {"article_id", "job_id", "created_at"}
    assert {key: value for key, value in again.items() if key not in own} == {
        key: value for key, value in analysed[name].items() if key not in own
    }


def test_a_target_of_the_caller_is_answered(client: StancewireClient) -> None:
    text = "The mayor, Anna Petrov, said the new toll was a disgrace. “It robs the poor,” she said."
    receipt = client.submit(NewArticle(text, targets=("the new toll",)))
    assert client.wait(receipt.job_id, timeout=60).state == "succeeded"

    topics = [
        stance
        for stance in client.analysis(receipt.article_id)["stances"]
        if stance["target"]["kind"] == "topic"
    ]

    assert {stance["target"]["name"] for stance in topics} == {"the new toll"}


def test_whoever_would_wait_gets_the_analysis_at_once(
    http: httpx.Client, openapi: dict[str, Any]
) -> None:
    response = http.post(
        "/v1/articles",
        json={"text": "Minister Anna Petrov said that the deal with Norway was good."},
        headers={"Prefer": "wait=30"},
    )

    assert response.status_code == 200
    schema = {"$ref": "#/components/schemas/Analysis", "components": openapi["components"]}
    jsonschema.validate(response.json(), schema)


def test_a_repeated_submission_is_one_article(http: httpx.Client) -> None:
    def send(text: str) -> httpx.Response:
        return http.post("/v1/articles", json={"text": text}, headers={"Idempotency-Key": key})

    key = str(uuid4())
    first, second, other = send("Same text."), send("Same text."), send("Other text.")

    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-mismatch")


def test_a_batch_of_lines_is_answered_line_by_line_and_worked_off(
    http: httpx.Client, client: StancewireClient
) -> None:
    lines = [{"text": "Anna Petrov said yes."}, {"text": ""}, {"text": "Omar Haddad said no."}]
    body = "\n".join(json.dumps(line) for line in lines)

    response = http.post(
        "/v1/batches", content=body, headers={"Content-Type": "application/x-ndjson"}
    )

    assert response.status_code == 207
    assert [item["status"] for item in response.json()["items"]] == [202, 422, 202]
    for item in response.json()["items"]:
        if item["status"] == 202:
            assert client.wait(item["job_id"], timeout=60).state == "succeeded"
            assert client.analysis(item["article_id"])["entities"]


def test_a_deleted_article_is_gone_with_all_that_was_found_in_it(
    http: httpx.Client, client: StancewireClient
) -> None:
    receipt = client.submit(NewArticle("Anna Petrov said yes."))
    client.wait(receipt.job_id, timeout=60)

    client.delete(receipt.article_id)

    for path in (
        f"/v1/articles/{receipt.article_id}",
        f"/v1/articles/{receipt.article_id}/analysis",
        f"/v1/jobs/{receipt.job_id}",
    ):
        response = http.get(path)
        assert response.status_code == 410, path
        assert response.headers["Content-Type"] == "application/problem+json"
    with pytest.raises(GoneError):
        client.delete(receipt.article_id)


def test_an_unknown_article_is_not_found(client: StancewireClient) -> None:
    with pytest.raises(NotFoundError):
        client.analysis("01890000-0000-7000-8000-000000000000")


def test_the_models_that_run_are_named_with_their_sums(client: StancewireClient) -> None:
    models = client.models()["models"]

    assert {"ner", "attribution", "stance"} <= {model["task"] for model in models}
    assert all(len(model["sha256"]) == 64 for model in models)
