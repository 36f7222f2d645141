from __future__ import annotations

import pytest

from service.settings import SettingsError, load_settings


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
        ("STANCEWIRE_VISIBILITY_TIMEOUT", "300"),
        ("STANCEWIRE_SOFT_TIME_LIMIT", "300"),
        ("STANCEWIRE_MAX_QUEUED", "999"),
        ("STANCEWIRE_WORKER_MEMORY", "1"),
        ("STANCEWIRE_BIND", "0.0.0.0:8080"),
        ("STANCEWIRE_BIND", "[::]:8080"),
        ("STANCEWIRE_BIND", "news.example:8080"),
        ("STANCEWIRE_BROKER_URL", "amqp://localhost"),
        ("STANCEWIRE_DATABASE_URL", "mysql://localhost/x"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


@pytest.mark.parametrize("bind", ["127.0.0.2:1", "[::1]:8080", "localhost:80", "unix:/run/api"])
def test_loopback_needs_no_keys(monkeypatch: pytest.MonkeyPatch, bind: str) -> None:
    monkeypatch.setenv("STANCEWIRE_BIND", bind)
    assert load_settings().bind == bind


def test_another_address_needs_a_clear_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_BIND", "0.0.0.0:8080")
    monkeypatch.setenv("STANCEWIRE_ALLOW_KEYLESS_BIND", "true")
    assert load_settings().bind == "0.0.0.0:8080"
