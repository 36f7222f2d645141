"""Keys: their form, their proof, their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.key import ApiKey, Caller, KeyGrant, Quota, Scope, StoredKey, Token
from service.domain.tenant import check_tenant

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GRANT = KeyGrant("default", "a key", frozenset({Scope.READ}))


def test_a_token_is_read_back_from_its_text() -> None:
    token = Token.new()
    assert Token.parse(token.text) == token
    assert token.text == f"sw_{token.key_id}_{token.secret}"
    # 32 bytes in base64 without padding.
    assert len(token.secret) == 43
    assert Token.new(token.key_id).key_id == token.key_id
    assert len({Token.new().text for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "a",
        lambda text: text + "\n",
        lambda text: text.upper(),
        lambda text: text.replace("sw_", "xx_"),
        lambda text: text.replace("_", "-", 1),
        lambda text: text[:-1] + "é",
        lambda text: "",
    ],
)
def test_what_has_not_the_form_of_a_token_is_none(change: object) -> None:
    assert callable(change)
    assert Token.parse(change(Token.new().text)) is None


def test_neither_a_token_nor_a_stored_key_shows_its_secret() -> None:
    token = Token.new()
    stored = StoredKey(ApiKey(token.key_id, GRANT, NOW), token.digest, token.digest)
    for shown in (repr(token), str(token), repr(stored), f"{[token, stored]}"):
        assert token.secret not in shown
        assert token.digest not in shown
        assert token.key_id in shown


def test_only_the_secret_proves_a_key() -> None:
    token, other = Token.new(), Token.new()
    stored = StoredKey(ApiKey(token.key_id, GRANT, NOW), token.digest)
    assert stored.proved_by(token, NOW)
    assert not stored.proved_by(replace(other, key_id=token.key_id), NOW)


def test_the_secret_before_a_rotation_proves_it_only_in_its_grace() -> None:
    old = Token.new()
    new = Token.new(old.key_id)
    key = ApiKey(old.key_id, GRANT, NOW)
    stored = StoredKey(key, new.digest, old.digest, NOW + timedelta(seconds=10))
    assert stored.proved_by(new, NOW)
    assert stored.proved_by(old, NOW + timedelta(seconds=9))
    assert not stored.proved_by(old, NOW + timedelta(seconds=10))
    assert stored.proved_by(new, NOW + timedelta(days=1))
    assert not StoredKey(key, new.digest, old.digest).proved_by(old, NOW)


def test_a_key_ends_by_its_time_or_by_being_revoked() -> None:
    good = ApiKey("k", replace(GRANT, expires_at=NOW + timedelta(seconds=1)), NOW)
    assert good.ended(NOW) is None
    assert good.ended(NOW + timedelta(seconds=1)) == "expired"
    assert replace(good, revoked_at=NOW).ended(NOW) == "revoked"


def test_a_caller_has_the_quota_of_its_key() -> None:
    assert Caller("default").quota is None
    assert Caller("default", ApiKey("k", GRANT, NOW)).quota is None
    limited = ApiKey("k", replace(GRANT, articles_per_day=5), NOW)
    assert Caller("default", limited).quota == Quota("k", 5)


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a_b", "ä", "a\n", "a" * 64, "../x"])
def test_a_tenants_name_is_a_plain_word(name: str) -> None:
    with pytest.raises(ValueError, match="no tenant's name"):
        check_tenant(name)


@pytest.mark.parametrize("name", ["a", "default", "news-room-2", "0", "a" * 63])
def test_plain_words_name_tenants(name: str) -> None:
    assert check_tenant(name) == name
