"""The one place that every request passes: who asks, whether they may, and not too often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from starlette.requests import Request

from ekiben_contracts.access import Scope, id_of
from ekiben_inference_gateway.http.access.callers import (
    ANYBODY,
    Caller,
    UnknownCallerError,
    UnreachableProviderError,
)
from ekiben_inference_gateway.http.access.keys import KeyFile
from ekiben_inference_gateway.http.access.provider_keys import KeysOfFile, KeysOfUrl
from ekiben_inference_gateway.http.access.rates import Rates
from ekiben_inference_gateway.http.access.tokens import TokenRules, Tokens
from ekiben_inference_gateway.http.problems import ProblemError, TransportCode, come_again
from ekiben_inference_gateway.http.settings import HttpSettings

_HOW = "send `Authorization: Bearer KEY-OR-TOKEN` or `X-API-Key: KEY`"
_COMES_BACK_S = 5.0
_LONGEST_CREDENTIAL = 16 * 1024


class Gate:
    """Lets callers in. Without keys and tokens everybody is ANYBODY: settings allow that on loopback only."""

    def __init__(self, keys: KeyFile | None, tokens: Tokens | None, rates: Rates) -> None:
        self._keys = keys
        self._tokens = tokens
        self._rates = rates

    @property
    def is_open(self) -> bool:
        """Whether nobody has to say who they are."""
        return self._keys is None and self._tokens is None

    async def admit(self, request: Request, scope: Scope) -> Caller:
        """Whoever asks, once it is known that they may. One row is counted.

        Raises:
            ProblemError: 401 nobody known, 403 without the scope, 429 too often, 503 nobody can tell.
        """
        caller = ANYBODY if self.is_open else await self._known(request)
        self._rates.take(caller, 1)
        if scope not in caller.scopes:
            raise ProblemError(
                TransportCode.FORBIDDEN,
                f"expected a caller with the scope {scope.value}, found "
                f"{', '.join(sorted(caller.scopes)) or 'none'}; ask for a key or token that has it",
            )
        return caller

    def count_more(self, caller: Caller, rows: int) -> None:
        """Count the rows of a request; the first was counted when it was let in.

        Raises:
            ProblemError: 429 too many now, 413 more than the caller's rate ever lets through.
        """
        self._rates.take(caller, rows - 1, counted=1)

    async def _known(self, request: Request) -> Caller:
        credential = _credential(request)
        if credential is None or len(credential) > _LONGEST_CREDENTIAL:
            _reject(f"expected to be told who is asking, found nothing; {_HOW}")
        try:
            if self._tokens is None or (self._keys is not None and id_of(credential) is not None):
                assert self._keys is not None
                return self._keys.caller(credential)
            return await self._tokens.caller(credential)
        except UnknownCallerError as error:
            _reject(f"{error}; {_HOW}")
        except UnreachableProviderError as error:
            raise come_again(TransportCode.BUSY, str(error), _COMES_BACK_S) from error


def build_gate(settings: HttpSettings, clock: Callable[[], datetime]) -> Gate:
    """What the settings say.

    Raises:
        KeysFileError, JwksError: a file that they name cannot be used.
    """
    keys = KeyFile(settings.keys_file, clock) if settings.keys_file is not None else None
    return Gate(keys, _tokens(settings), Rates(settings.rate))


def _tokens(settings: HttpSettings) -> Tokens | None:
    if settings.jwks_file is not None:
        provider: KeysOfFile | KeysOfUrl = KeysOfFile(settings.jwks_file)
    elif settings.jwks_url is not None:
        provider = KeysOfUrl(settings.jwks_url)
    else:
        return None
    assert settings.jwt_issuer is not None
    assert settings.jwt_audience is not None
    rules = TokenRules(
        settings.jwt_issuer, settings.jwt_audience, frozenset(settings.jwt_algorithms), settings.jwt_leeway_s
    )
    return Tokens(provider, rules)


def _credential(request: Request) -> str | None:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credential.strip():
        return credential.strip()
    return request.headers.get("x-api-key") or None


def _reject(detail: str) -> NoReturn:
    raise ProblemError(
        TransportCode.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": 'Bearer realm="ekiben"'}
    )
