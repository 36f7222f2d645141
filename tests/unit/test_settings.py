from __future__ import annotations

import pytest

from service.settings import SettingsError, host_and_port, is_loopback, load_settings


def test_defaults_are_valid() -> None:
    settings = load_settings()
    assert settings.soft_time_limit < settings.hard_time_limit < settings.visibility_timeout
    assert settings.bind.startswith("127.0.0.1:")


def test_every_fault_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_LEASE", "soon")
    monkeypatch.setenv("STANCEWIRE_MAX_ATTEMPTS", "0")
    monkeypatch.setenv("STANCEWIRE_LOG_LEVEL", "LOUD")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    for name in ("STANCEWIRE_LEASE", "STANCEWIRE_MAX_ATTEMPTS", "STANCEWIRE_LOG_LEVEL"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STANCEWIRE_VISIBILITY_TIMEOUT", "1560"),
        ("STANCEWIRE_SOFT_TIME_LIMIT", "1560"),
        ("STANCEWIRE_MAX_QUEUED", "999"),
        ("STANCEWIRE_WORKER_MEMORY", "1"),
        ("STANCEWIRE_BROKER_URL", "amqp://localhost"),
        ("STANCEWIRE_DATABASE_URL", "mysql://localhost/x"),
        ("STANCEWIRE_METRICS_BIND", "0.0.0.0:9108"),
        ("STANCEWIRE_METRICS_BIND", "127.0.0.1"),
        ("STANCEWIRE_METRICS_BIND", "127.0.0.1:many"),
        ("STANCEWIRE_METRICS_BIND", "unix:/run/worker"),
        ("STANCEWIRE_OTLP_ENDPOINT", "localhost:4318"),
        ("STANCEWIRE_OTLP_ENDPOINT", "grpc://localhost:4317"),
        ("STANCEWIRE_BACKEND", "torch"),
        ("STANCEWIRE_NER_MODEL", "owner/name"),
        ("STANCEWIRE_STANCE_MODEL", "owner/name"),
        ("STANCEWIRE_STANCE_HYPOTHESIS", "{target} is good."),
        ("STANCEWIRE_STANCE_HYPOTHESIS", "{holder} supports {target} in {place}."),
        ("STANCEWIRE_STANCE_HYPOTHESIS", "{holder.name} supports {target}."),
        ("STANCEWIRE_STANCE_HYPOTHESIS", "{holder!r} supports {target}."),
        ("STANCEWIRE_STANCE_HYPOTHESIS", "{holder} supports {target"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


@pytest.mark.parametrize("bind", ["127.0.0.2:1", "[::1]:8080", "localhost:80", "unix:/run/api"])
def test_only_this_machine_reaches_loopback(bind: str) -> None:
    assert is_loopback(bind)


@pytest.mark.parametrize("bind", ["0.0.0.0:8080", "[::]:8080", "news.example:8080", ":8080", ""])
def test_others_reach_what_is_not_loopback(bind: str) -> None:
    assert not is_loopback(bind)


def test_a_worker_opens_nothing_unless_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load_settings().metrics_bind, load_settings().otlp_endpoint) == ("", "")
    monkeypatch.setenv("STANCEWIRE_METRICS_BIND", "[::1]:9108")
    monkeypatch.setenv("STANCEWIRE_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    settings = load_settings()
    assert host_and_port(settings.metrics_bind) == ("::1", 9108)


def test_another_address_for_figures_needs_a_clear_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_METRICS_BIND", "0.0.0.0:9108")
    monkeypatch.setenv("STANCEWIRE_ALLOW_KEYLESS_BIND", "true")
    assert load_settings().metrics_bind == "0.0.0.0:9108"


def test_other_models_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_BACKEND", "torch")
    monkeypatch.setenv("STANCEWIRE_STANCE_MODEL", "owner/name")
    monkeypatch.setenv("STANCEWIRE_STANCE_HYPOTHESIS", "In {{this}} text {holder} backs {target}.")
    settings = load_settings()
    assert (settings.backend, settings.stance_model, settings.ner_model) == (
        "torch", "owner/name", "",
    )  # fmt: skip
