"""Where the face listens and whom it must know."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ekiben_inference_gateway.http.settings import HttpSettings, HttpSettingsError, read_settings

ISSUER = "https://issuer.example"
TOKENS = {"jwks_url": f"{ISSUER}/jwks", "jwt_issuer": ISSUER, "jwt_audience": "x"}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what must be refused


def test_by_default_nothing_listens():
    assert HttpSettings().port is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_on_loopback_nobody_has_to_say_who_they_are(host):
    assert not HttpSettings(port=8080, host=host).asks_who


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "10.0.0.1", "example.org", "localhost.example", ""])
def test_beyond_loopback_it_must_know_its_callers(host):
    with pytest.raises(ValidationError, match="keys or tokens before it listens beyond loopback"):
        HttpSettings(port=8080, host=host)


@pytest.mark.parametrize("known_by", [{"keys_file": "keys.jsonl"}, TOKENS])
def test_with_keys_or_tokens_it_listens_anywhere(known_by):
    assert HttpSettings(port=8080, host=EVERYWHERE, **known_by).asks_who


@pytest.mark.parametrize(
    "wrong",
    [
        {**TOKENS, "jwt_audience": None},
        {**TOKENS, "jwt_issuer": None},
        {**TOKENS, "jwks_file": "jwks.json"},
        {**TOKENS, "jwks_url": "http://issuer.example/jwks"},
        {**TOKENS, "jwks_url": "file:///jwks"},
        {**TOKENS, "jwt_algorithms": ["HS256"]},
        {**TOKENS, "jwt_algorithms": ["none"]},
        {"rate": "often"},
    ],
    ids=str,
)
def test_settings_that_would_let_the_wrong_ones_in_are_refused(wrong):
    with pytest.raises(ValidationError):
        HttpSettings(**wrong)


def test_the_error_is_one_line_that_names_the_mend(monkeypatch):
    monkeypatch.setenv("EKIBEN_HTTP_PORT", "8080")
    monkeypatch.setenv("EKIBEN_HTTP_HOST", EVERYWHERE)
    with pytest.raises(HttpSettingsError) as refused:
        read_settings()
    assert "EKIBEN_HTTP_KEYS_FILE" in str(refused.value)
    assert "\n" not in str(refused.value)
