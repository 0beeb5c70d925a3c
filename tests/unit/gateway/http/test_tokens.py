"""OIDC tokens: whom they let in, and every way in which they do not."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from ekiben_contracts.access import Scope
from ekiben_inference_gateway.http.access.callers import UnknownCallerError, UnreachableProviderError
from ekiben_inference_gateway.http.access.provider_keys import JwksError, KeysOfFile, KeysOfUrl
from ekiben_inference_gateway.http.access.tokens import TokenRules, Tokens, scopes_of

ISSUER, AUDIENCE = "https://issuer.example", "ekiben"
DEADLINE_S = 20
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
JWKS = {
    "keys": [
        {**json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "rsa", "use": "sig"},
        {**json.loads(ECAlgorithm.to_jwk(EC.public_key())), "kid": "ec", "use": "sig"},
    ]
}
RULES = TokenRules(ISSUER, AUDIENCE, frozenset({"RS256", "ES256"}))


def token(key=RSA, algorithm="RS256", kid="rsa", **claims):
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ana",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
        "scope": "openid predict admin",
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key, algorithm, headers={"kid": kid} if kid else None)


@pytest.fixture
def jwks_file(tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(JWKS))
    return path


@pytest.fixture
def tokens(jwks_file):
    return Tokens(KeysOfFile(jwks_file), RULES)


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "rsa"), (EC, "ES256", "ec")])
async def test_a_token_of_the_issuer_lets_in_with_the_scopes_known_here(tokens, key, algorithm, kid):
    caller = await tokens.caller(token(key, algorithm, kid))
    assert (caller.id, caller.scopes) == (f"{ISSUER} ana", {Scope.PREDICT, Scope.ADMIN})


def _public_key_as_secret():
    """The oldest trick: the public key taken for the secret of HS256 (CVE-2015-9235)."""
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body = (
        jwt.utils.base64url_encode(json.dumps(part).encode()).decode()
        for part in (
            {"alg": "HS256", "typ": "JWT", "kid": "rsa"},
            {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "exp": 4_000_000_000, "scope": "predict"},
        )
    )
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{head}.{body}".encode(), pem
    )
    return f"{head}.{body}.{jwt.utils.base64url_encode(signature).decode()}"


BAD = {
    "expired": lambda: token(exp=datetime.now(UTC) - timedelta(minutes=1)),
    "without an end": lambda: token(exp=None),
    "not yet valid": lambda: token(nbf=datetime.now(UTC) + timedelta(minutes=1)),
    "of another issuer": lambda: token(iss="https://evil.example"),
    "without an issuer": lambda: token(iss=None),
    "for somebody else": lambda: token(aud="payments"),
    "for nobody": lambda: token(aud=None),
    "of nobody": lambda: token(sub=None),
    "signed by a stranger": lambda: token(STRANGER),
    "of an unknown key": lambda: token(kid="other"),
    "without a key id": lambda: token(kid=None),
    "by an algorithm not allowed": lambda: token(algorithm="RS512"),
    "by another key's algorithm": lambda: token(kid="ec"),
    "unsigned": lambda: jwt.encode({"sub": "eve"}, "", "none", headers={"kid": "rsa"}),
    "signed with the public key": _public_key_as_secret,
    "cut off": lambda: token()[:-9],
    "changed": lambda: token().replace(".", ".e", 1),
    "no token": lambda: "hello",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_any_other_token_lets_nobody_in_and_is_not_told(tokens, bad):
    sent = bad()
    with pytest.raises(UnknownCallerError) as refused:
        await tokens.caller(sent)
    assert sent not in str(refused.value)


async def test_a_key_of_the_provider_widens_no_algorithm(tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [{**JWKS["keys"][0], "alg": "RS512"}]}))
    sent = token(algorithm="RS512")
    with pytest.raises(UnknownCallerError, match="InvalidAlgorithm"):
        await Tokens(KeysOfFile(path), RULES).caller(sent)
    wider = TokenRules(ISSUER, AUDIENCE, frozenset({"RS512"}))
    assert (await Tokens(KeysOfFile(path), wider).caller(sent)).id == f"{ISSUER} ana"


async def test_clocks_may_be_off_by_the_leeway(jwks_file):
    rules = TokenRules(ISSUER, AUDIENCE, RULES.algorithms, leeway_s=30)
    caller = await Tokens(KeysOfFile(jwks_file), rules).caller(
        token(exp=datetime.now(UTC) - timedelta(seconds=5))
    )
    assert caller.scopes == {Scope.PREDICT, Scope.ADMIN}


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "predict explain"}, {Scope.PREDICT, Scope.EXPLAIN}),
        ({"scp": ["admin", "x"]}, {Scope.ADMIN}),
        ({"scp": "predict"}, {Scope.PREDICT}),
        ({"scope": "predictions"}, set()),
        ({"scope": {"predict": True}}, set()),
        ({"scope": 7}, set()),
        ({}, set()),
    ],
)
def test_scopes_are_whole_words_of_scope_or_scp(claims, scopes):
    assert scopes_of(claims) == scopes


NO_JWKS = ["", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "x"}]}', "[" * 100_000]


@pytest.mark.parametrize("text", NO_JWKS, ids=range(len(NO_JWKS)))
def test_a_file_that_is_no_jwks_is_named(tmp_path, text):
    path = tmp_path / "jwks.json"
    path.write_text(text)
    with pytest.raises(JwksError, match=r"jwks\.json"):
        KeysOfFile(path)


async def test_a_file_is_read_again_when_the_provider_s_keys_change(tokens, jwks_file):
    first, second = JWKS["keys"]
    jwks_file.write_text(json.dumps({"keys": [second]}))
    with pytest.raises(UnknownCallerError):
        await tokens.caller(token())
    assert (await tokens.caller(token(EC, "ES256", "ec"))).id == f"{ISSUER} ana"
    jwks_file.write_text(json.dumps({"keys": [first]}))
    assert (await tokens.caller(token())).id == f"{ISSUER} ana"


async def test_a_file_that_stays_as_it_is_is_read_once_whatever_tokens_come(jwks_file, monkeypatch):
    tokens, reads = Tokens(KeysOfFile(jwks_file), RULES), []
    monkeypatch.setattr(type(jwks_file), "read_text", reads.append)
    for number in range(5):
        with pytest.raises(UnknownCallerError):
            await tokens.caller(token(kid=f"other-{number}"))
    assert (await tokens.caller(token())).id == f"{ISSUER} ana"
    assert reads == []


@pytest.mark.parametrize("broken", ["no json", None])
async def test_while_the_file_is_broken_nobody_can_tell_whose_a_token_is(tokens, jwks_file, broken):
    jwks_file.unlink() if broken is None else jwks_file.write_text(broken)
    for _ in range(2):
        with pytest.raises(UnreachableProviderError):
            await tokens.caller(token())
    jwks_file.write_text(json.dumps(JWKS))
    assert (await tokens.caller(token())).id == f"{ISSUER} ana"


class Provider:
    """An issuer's JWKS over HTTP, on a free port."""

    def __init__(self):
        self.asked = 0
        self.body = json.dumps(JWKS).encode()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked += 1
                body = provider.body
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *said):
                """Quietly."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def provider():
    found = Provider()
    yield found
    found.stop()


async def test_keys_are_fetched_once_however_many_unknown_ones_are_sent(provider):
    tokens = Tokens(KeysOfUrl(provider.url), RULES)
    for _ in range(5):
        assert (await tokens.caller(token())).id == f"{ISSUER} ana"
    for number in range(5):
        with pytest.raises(UnknownCallerError):
            await tokens.caller(token(kid=f"other-{number}"))
    assert provider.asked == 1


async def test_a_key_that_is_known_waits_for_nobody_s_unknown_one(provider):
    keys = KeysOfUrl(provider.url)
    tokens = Tokens(keys, RULES)
    await tokens.caller(token())
    async with keys._one_at_a_time:  # as while an unknown key is fetched
        async with asyncio.timeout(DEADLINE_S):
            assert (await tokens.caller(token())).id == f"{ISSUER} ana"


async def test_a_provider_that_does_not_answer_is_left_alone_for_a_while(provider):
    now = [0.0]
    provider.body = b"<html>down for maintenance</html>"
    tokens = Tokens(KeysOfUrl(provider.url, lambda: now[0]), RULES)
    for _ in range(3):
        with pytest.raises(UnreachableProviderError):
            await tokens.caller(token())
    assert provider.asked == 1
    provider.body, now[0] = json.dumps(JWKS).encode(), 6.0
    assert (await tokens.caller(token())).id == f"{ISSUER} ana"
    assert provider.asked == 2


@pytest.mark.parametrize("body", [*NO_JWKS, "null", '"x"', "7"], ids=range(len(NO_JWKS) + 3))
async def test_a_provider_whose_answer_is_no_jwks_is_left_alone_and_nobody_is_called_unknown(provider, body):
    provider.body = body.encode()
    tokens = Tokens(KeysOfUrl(provider.url, lambda: 0.0), RULES)
    for number in range(3):
        with pytest.raises(UnreachableProviderError):
            await tokens.caller(token(kid=f"any-{number}"))
    assert provider.asked == 1


async def test_a_token_that_names_no_key_is_refused_without_asking_the_provider(provider):
    with pytest.raises(UnknownCallerError):
        await Tokens(KeysOfUrl(provider.url), RULES).caller(token(kid=None))
    assert provider.asked == 0


async def test_while_the_provider_is_away_nobody_can_tell(provider):
    provider.stop()
    with pytest.raises(UnreachableProviderError):
        await Tokens(KeysOfUrl(provider.url), RULES).caller(token())
