import base64
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from ekiben_bus.errors import TokenError
from ekiben_bus.refusals import Case
from ekiben_bus.token_endpoint import ClientCredentialsTokens, Credentials, is_private
from ekiben_bus.tokens import FileTokens, expiry

ID, SECRET = "gate:way", "s3cret &+%"


class Clock:
    """Moved by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Endpoint:
    """Answers with what it is told to; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, object]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def post(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append((request.headers.get("Authorization", ""), form))
        status, body = self.answers.pop(0)
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        return web.json_response(body, status=status, headers=headers)


@asynccontextmanager
async def selling(*answers: tuple[int, object], clock: Clock, scope: str | None = None):
    """A token endpoint with these answers in order, and who buys from it."""
    endpoint = Endpoint()
    endpoint.answers = list(answers)
    app = web.Application()
    app.router.add_post("/token", endpoint.post)
    app.router.add_route("*", "/elsewhere", endpoint.post)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
        yield endpoint, ClientCredentialsTokens(Credentials(url, ID, SecretStr(SECRET), scope), clock)
    finally:
        await runner.cleanup()


def sold(name: str, lifetime: object = 100) -> tuple[int, object]:
    return 200, {"access_token": name, "token_type": "Bearer", "expires_in": lifetime}


def jwt(**claims: object) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in ({}, claims)]
    return b".".join([*parts, b"signature"]).decode()


async def test_a_token_is_bought_with_the_clients_credentials_and_scope():
    async with selling(sold("one"), clock=Clock(), scope="kafka") as (endpoint, tokens):
        assert await tokens.token() == "one"
    ((authorization, form),) = endpoint.asked
    assert form == {"grant_type": "client_credentials", "scope": "kafka"}
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"gate%3Away:s3cret+%26%2B%25"


async def test_one_token_serves_many_connections_and_the_next_is_bought_before_it_expires():
    clock = Clock()
    async with selling(sold("one"), sold("two"), clock=clock) as (endpoint, tokens):
        assert [await tokens.token(), await tokens.token()] == ["one", "one"]
        clock.now += 79
        assert await tokens.token() == "one"
        clock.now += 2
        assert await tokens.token() == "two"
    assert len(endpoint.asked) == 2


async def test_while_the_endpoint_refuses_the_last_token_serves_until_it_expires():
    clock = Clock()
    async with selling(sold("one"), (503, {}), (503, {}), clock=clock) as (_, tokens):
        await tokens.token()
        clock.now += 90
        assert await tokens.token() == "one"
        clock.now += 11
        with pytest.raises(TokenError, match="HTTP 503"):
            await tokens.token()


async def test_a_token_without_a_lifetime_is_bought_anew_unless_it_says_when_it_expires():
    clock = Clock()
    speaking = jwt(exp=2000)
    answers = (sold("silent", None), sold(speaking, None))
    async with selling(*answers, clock=clock) as (endpoint, tokens):
        assert await tokens.token() == "silent"
        assert await tokens.token() == speaking
        assert await tokens.token() == speaking
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("answer", [(401, {"error": "invalid_client"}), (200, {}), (200, ["no object"])])
async def test_a_refusal_names_endpoint_and_setting_and_never_the_secret(answer):
    async with selling(answer, clock=Clock()) as (_, tokens):
        with pytest.raises(TokenError) as caught:
            await tokens.token()
    refusal = caught.value.refusal
    assert refusal.case is Case.NO_TOKEN
    assert refusal.setting == "KAFKA_SASL_OAUTH_CLIENT_SECRET"
    assert refusal.address.startswith("http://127.0.0.1:")
    assert SECRET not in str(caught.value) + repr(caught.value)


async def test_a_redirect_is_not_followed_with_the_secret():
    async with selling((302, {}), sold("elsewhere"), clock=Clock()) as (endpoint, tokens):
        with pytest.raises(TokenError, match="HTTP 302"):
            await tokens.token()
    assert len(endpoint.asked) == 1


async def test_a_file_is_read_again_so_that_whoever_renews_it_need_not_tell(tmp_path):
    file = tmp_path / "token"
    file.write_text("one\n")
    tokens = FileTokens(file)
    first = await tokens.token()
    file.write_text("two")
    assert (first, await tokens.token()) == ("one", "two")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "FileNotFoundError"), (" \n", "an empty file"), (jwt(exp=900), "expired 100 s ago")],
)
async def test_a_file_that_holds_no_token_is_named(tmp_path, content, said):
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(TokenError, match=said) as caught:
        await FileTokens(file, Clock()).token()
    assert str(file) in str(caught.value)
    assert caught.value.refusal.setting == "KAFKA_SASL_OAUTH_TOKEN_FILE"
    assert content is None or not content.strip() or content not in str(caught.value)


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.!.c", jwt(), jwt(exp="soon"), "..", f"x.{'e' * 5}.y"])
def test_a_token_that_does_not_say_when_it_expires(token):
    assert expiry(token) is None


@pytest.mark.parametrize(
    ("endpoint", "private"),
    [
        ("https://issuer.example/token", True),
        ("http://127.0.0.1:8080/token", True),
        ("http://localhost/token", True),
        ("http://[::1]:80/token", True),
        ("http://issuer.example/token", False),
        ("http://127.0.0.1.example/token", False),
        ("http://localhost@issuer.example/token", False),
        ("file:///token", False),
        ("issuer.example/token", False),
    ],
)
def test_a_secret_goes_over_tls_or_stays_on_this_machine(endpoint, private):
    assert is_private(endpoint) is private
