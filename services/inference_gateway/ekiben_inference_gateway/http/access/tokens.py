"""OIDC tokens: JWTs that a provider signed for this gateway, checked with the provider's public keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, cast

import jwt
from jwt import PyJWK, PyJWKClient, PyJWKSet
from jwt.exceptions import PyJWKClientConnectionError, PyJWKClientError, PyJWKError, PyJWKSetError
from jwt.jwk_set_cache import JWKSetCache

from ekiben_contracts.access import Scope
from ekiben_inference_gateway.http.access.callers import (
    Caller,
    UnknownCallerError,
    UnreachableProviderError,
)

_FETCHED_WITHIN_S = 5.0
_KEPT_S = 300.0
_LEFT_ALONE_S = 5.0
_TO_SIGN = ("sig", None)
_AWAY = "expected the keys of the OIDC provider, found that it does not give them; ask again later"
_REQUIRED = ["exp", "iss", "aud", "sub"]


class JwksError(ValueError):
    """The file of a provider's keys cannot be used."""


class ProviderKeys(Protocol):
    """The public keys of a provider."""

    async def of(self, token: str) -> PyJWK:
        """The key that a token says it was signed with.

        Raises:
            UnknownCallerError: the provider has no such key.
            UnreachableProviderError: the provider does not answer.
        """
        ...


class KeysOfFile:
    """A JWKS that lies beside the gateway."""

    def __init__(self, path: Path) -> None:
        try:
            found: object = json.loads(path.read_text())
            self._keys = PyJWKSet.from_dict(cast("dict[str, Any]", found))
        except (OSError, ValueError, AttributeError, PyJWKSetError, PyJWKError) as error:
            raise JwksError(f"{path}: expected a JSON Web Key Set, found: {error}") from error

    async def of(self, token: str) -> PyJWK:
        """See ProviderKeys."""
        key_id = _key_id(token)
        for key in self._keys.keys:
            if key.key_id == key_id and key_id is not None:
                return key
        if key_id is None and len(self._keys.keys) == 1:
            return self._keys.keys[0]
        raise _another_key()


class KeysOfUrl:
    """A JWKS that the provider publishes: fetched when first asked for, and for keys not seen yet.

    PyJWT fetches in the calling thread, so it is called in another, one at a time; a key that is known
    waits for none of that. An unknown one makes it fetch again at most twice a minute, and a provider
    that does not answer is left alone for a while: anybody may send tokens.
    """

    def __init__(self, url: str, timer: Callable[[], float] = monotonic) -> None:
        self._cache = JWKSetCache(_KEPT_S)
        self._client = PyJWKClient(url, timeout=_FETCHED_WITHIN_S, lifespan=_KEPT_S)
        self._client.jwk_set_cache = self._cache
        self._one_at_a_time = asyncio.Lock()
        self._timer = timer
        self._away_until = -inf

    async def of(self, token: str) -> PyJWK:
        """See ProviderKeys."""
        key_id = _key_id(token)
        if key_id is None:
            raise _another_key()
        return self._known(key_id) or await self._fetched(key_id)

    def _known(self, key_id: str) -> PyJWK | None:
        found = self._cache.get()
        keys = found.keys if found is not None else []
        return next((key for key in keys if key.key_id == key_id and key.public_key_use in _TO_SIGN), None)

    async def _fetched(self, key_id: str) -> PyJWK:
        async with self._one_at_a_time:
            if self._timer() < self._away_until:
                raise UnreachableProviderError(_AWAY)
            try:
                return await asyncio.to_thread(self._client.get_signing_key, key_id)
            except (PyJWKClientConnectionError, PyJWKSetError, OSError, ValueError) as error:
                self._away_until = self._timer() + _LEFT_ALONE_S
                raise UnreachableProviderError(_AWAY) from error
            except (PyJWKClientError, PyJWKError):
                raise _another_key() from None


def _another_key() -> UnknownCallerError:
    return UnknownCallerError("expected a token signed with a key of the provider, found another key")


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must be: signed by one of these algorithms, from this issuer, for this audience."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    leeway_s: float = 0.0


class Tokens:
    """Callers by their token."""

    def __init__(self, keys: ProviderKeys, rules: TokenRules) -> None:
        self._keys = keys
        self._rules = rules

    async def caller(self, token: str) -> Caller:
        """Whose token it is, with the scopes it gives that are known here.

        Raises:
            UnknownCallerError: expired, not for us, badly signed, or no token at all.
            UnreachableProviderError: that cannot be told now.
        """
        rules, key = self._rules, await self._keys.of(token)
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=sorted(rules.algorithms),
                audience=rules.audience,
                issuer=rules.issuer,
                leeway=rules.leeway_s,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise UnknownCallerError("expected a token that is valid, found it expired") from None
        except jwt.PyJWTError as error:
            raise UnknownCallerError(
                f"expected a token of the issuer for this gateway, found {type(error).__name__}"
            ) from None
        return Caller(f"{claims['iss']} {claims['sub']}", scopes_of(claims))


def scopes_of(claims: Mapping[str, object]) -> frozenset[Scope]:
    """The known ones of `scope` (RFC 8693: separated by spaces) or `scp` (a list, or the same)."""
    said = claims.get("scope", claims.get("scp", ""))
    words: list[object] = list(said.split()) if isinstance(said, str) else []
    if isinstance(said, list):
        words = cast("list[object]", said)
    return frozenset(scope for scope in Scope if scope.value in words)


def _key_id(token: str) -> str | None:
    try:
        found = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise UnknownCallerError("expected an API key or a token, found neither") from None
    return found if isinstance(found, str) else None
