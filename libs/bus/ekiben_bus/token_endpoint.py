"""OAuth 2 tokens, bought with client credentials (RFC 6749, 4.4) and renewed before they expire."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus, urlsplit

import aiohttp
from aiokafka.abc import AbstractTokenProvider
from pydantic import SecretStr
from structlog.stdlib import get_logger

from ekiben_bus.backing_off import backoff
from ekiben_bus.errors import TokenError
from ekiben_bus.refusals import Case, Refusal
from ekiben_bus.tokens import expiry, json_object

log = get_logger(__name__)

_ANSWERED_WITHIN_S = 10.0
_PATIENCE_S = 1.0
_FIRST_REST_S = 1.0
_LONGEST_REST_S = 30.0
"""Before an endpoint that has failed is asked again."""
_USED_UP_TO = 0.8
"""Of its life: after that another one is bought, while this one still serves if there is none."""
_LONGEST_ANSWER = 1 << 20
_MOST_QUOTED = 200
_TOO_OLD = 0.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Token:
    """What the broker is shown; times are of the clock that the provider was given, in seconds."""

    value: SecretStr
    refresh_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who buys a token, where. `trusted` is whom the endpoint's certificate has to be signed by."""

    endpoint: str
    client_id: str
    client_secret: SecretStr
    scope: str | None = None
    trusted: ssl.SSLContext | None = None


class ClientCredentialsTokens(AbstractTokenProvider):
    """Buys a token when one is needed, and the next before it expires; many connections share one."""

    def __init__(self, credentials: Credentials, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock
        self._token: Token | None = None
        self._buying: asyncio.Task[Token | Refusal] | None = None
        self._failures = 0
        self._again_at = 0.0
        self._why: Refusal | None = None

    async def token(self) -> str:
        """One that is valid now. While the last one is, nobody waits long for the next.

        Raises:
            TokenError: the endpoint is away or refuses us, now or a short while ago, and the last token has
                expired.
        """
        last, now = self._token, self._clock()
        if last is None or now >= last.expires_at:
            return (await self._bought()).value.get_secret_value()
        if now >= max(last.refresh_at, self._again_at) and self._buying is None:
            _, late = await asyncio.wait([self._begin()], timeout=_PATIENCE_S)
            if not late and self._token is not None:
                last = self._token
        return last.value.get_secret_value()

    async def _bought(self) -> Token:
        if self._why is not None and self._clock() < self._again_at:
            raise TokenError(self._why)
        bought = await asyncio.shield(self._buying or self._begin())
        if isinstance(bought, Refusal):
            raise TokenError(bought)
        return bought

    def _begin(self) -> asyncio.Task[Token | Refusal]:
        self._buying = asyncio.create_task(self._purchase())
        return self._buying

    async def _purchase(self) -> Token | Refusal:
        try:
            self._token = await self._buy()
        except TokenError as error:
            self._failures += 1
            self._again_at = self._clock() + backoff(self._failures, _FIRST_REST_S, _LONGEST_REST_S)
            self._why = error.refusal
            log.warning("no new token", why=str(error), failures_in_a_row=self._failures)
            return error.refusal
        else:
            self._failures, self._again_at, self._why = 0, 0.0, None
            return self._token
        finally:
            self._buying = None

    async def _buy(self) -> Token:
        asked, asked_at = self._credentials, self._clock()
        form = {"grant_type": "client_credentials", **({"scope": asked.scope} if asked.scope else {})}
        headers = {"Authorization": _basic(asked.client_id, asked.client_secret.get_secret_value())}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWERED_WITHIN_S)) as session,
                session.post(
                    asked.endpoint,
                    data=form,
                    headers=headers,
                    ssl=asked.trusted or True,
                    allow_redirects=False,
                ) as response,
            ):
                status, body = response.status, await self._body(response.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._away(_in_short(error)) from error
        return self._read(status, body, asked_at)

    async def _body(self, content: aiohttp.StreamReader) -> bytes:
        """To its end, in however many pieces it comes."""
        body = bytearray()
        async for piece in content.iter_any():
            body += piece
            if len(body) > _LONGEST_ANSWER:
                raise self._away(f"an answer of more than {_LONGEST_ANSWER} bytes, where a token is small")
        return bytes(body)

    def _read(self, status: int, body: bytes, asked_at: float) -> Token:
        answer = json_object(body)
        value = answer.get("access_token")
        if status != 200 or not isinstance(value, str) or not value:  # noqa: PLR2004 - OK
            raise self._refused(status, answer)
        lifetime = answer.get("expires_in")
        if isinstance(lifetime, int | float) and not isinstance(lifetime, bool):
            expires_at = asked_at + lifetime
        else:
            expires_at = expiry(value) or _TOO_OLD  # unknown: never used twice
        refresh_at = asked_at + _USED_UP_TO * (expires_at - asked_at)
        return Token(SecretStr(value), refresh_at, expires_at)

    def _away(self, found: str) -> TokenError:
        return TokenError(
            Refusal(
                Case.NO_TOKEN,
                self._credentials.endpoint,
                "KAFKA_SASL_OAUTH_TOKEN_ENDPOINT",
                "a token endpoint that answers",
                found,
                "another address; the system's authorities or KAFKA_SSL_CAFILE have to know its certificate",
            )
        )

    def _refused(self, status: int, answer: dict[str, object]) -> TokenError:
        said = ": ".join(
            str(answer[name])[:_MOST_QUOTED] for name in ("error", "error_description") if name in answer
        )
        return TokenError(
            Refusal(
                Case.NO_TOKEN,
                self._credentials.endpoint,
                "KAFKA_SASL_OAUTH_CLIENT_SECRET",
                f"a token for the client {self._credentials.client_id}",
                f"HTTP {status}" + (f" ({said})" if said else ", and no access_token in its answer"),
                "the right KAFKA_SASL_OAUTH_CLIENT_ID, KAFKA_SASL_OAUTH_CLIENT_SECRET and "
                "KAFKA_SASL_OAUTH_SCOPE",
            )
        )


def is_private(endpoint: str) -> bool:
    """Whether a secret may be sent there: over TLS, or without leaving this machine."""
    address = urlsplit(endpoint)
    return bool(address.hostname) and (
        address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK)
    )


def _basic(client_id: str, client_secret: str) -> str:
    """RFC 6749, 2.3.1: each is encoded as in a form before the two are joined."""
    joined = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(joined.encode()).decode()}"


def _in_short(error: Exception) -> str:
    """aiohttp's own words hold the repr of a TLS context: those of the system say the same."""
    inner = error
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        inner = error.certificate_error
    elif isinstance(error, aiohttp.ClientConnectorError):
        inner = error.os_error
    return f"{type(inner).__name__}: {inner}".removesuffix(": ")
