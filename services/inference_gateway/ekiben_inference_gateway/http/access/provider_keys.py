"""The public keys of an OIDC provider: from a file beside the gateway, or from where it publishes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, cast

import jwt
from jwt import PyJWK, PyJWKClient, PyJWKSet
from jwt.exceptions import PyJWKClientConnectionError, PyJWKClientError, PyJWKError, PyJWKSetError
from jwt.jwk_set_cache import JWKSetCache
from structlog.stdlib import get_logger

from ekiben_inference_gateway.http.access.callers import UnknownCallerError, UnreachableProviderError
from ekiben_inference_gateway.http.access.watching import WatchedFile

log = get_logger(__name__)

_FETCHED_WITHIN_S = 5.0
_KEPT_S = 300.0
_LEFT_ALONE_S = 5.0
_TO_SIGN = ("sig", None)
_AWAY = "expected the keys of the OIDC provider, found that it does not give them; ask again later"


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
    """A JWKS that lies beside the gateway: read again when it changes, so that a provider's keys may too.

    While what stands there is none, nobody can tell whose a token is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._watched = WatchedFile(path)
        self._keys: list[PyJWK] | None = _read(path)

    async def of(self, token: str) -> PyJWK:
        """See ProviderKeys."""
        if self._watched.has_changed():
            self._keys = self._read_again()
        if self._keys is None:
            raise UnreachableProviderError(_AWAY)
        key_id = _key_id(token)
        for key in self._keys:
            if key.key_id == key_id and key_id is not None:
                return key
        if key_id is None and len(self._keys) == 1:
            return self._keys[0]
        raise _another_key()

    def _read_again(self) -> list[PyJWK] | None:
        try:
            return _read(self._path)
        except JwksError as error:
            log.error("no token is taken until the file is mended", error=str(error))  # noqa: TRY400
            return None


class KeysOfUrl:
    """A JWKS that the provider publishes: fetched when first asked for, and for keys not seen yet.

    PyJWT fetches in the calling thread, so it is called in another, one at a time; a key that is known
    waits for none of that. An unknown one makes it fetch again at most twice a minute, and a provider
    that does not answer is left alone for a while: anybody may send tokens.
    """

    def __init__(self, url: str, timer: Callable[[], float] = monotonic) -> None:
        self._cache = JWKSetCache(_KEPT_S)
        self._client = _Client(url, timeout=_FETCHED_WITHIN_S, lifespan=_KEPT_S)
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


class _Client(PyJWKClient):
    """PyJWT takes JSON that is no key set for a set without the key, and fetches again for each token."""

    def fetch_data(self) -> Any:
        try:
            return super().fetch_data()
        except (PyJWKClientConnectionError, PyJWKSetError):
            raise
        except (PyJWKClientError, RecursionError) as error:
            raise PyJWKSetError(f"expected a JSON Web Key Set, found: {error}") from error


def _another_key() -> UnknownCallerError:
    return UnknownCallerError("expected a token signed with a key of the provider, found another key")


def _read(path: Path) -> list[PyJWK]:
    try:
        found: object = json.loads(path.read_text())
        return PyJWKSet.from_dict(cast("dict[str, Any]", found)).keys
    except (OSError, ValueError, AttributeError, RecursionError, PyJWKSetError, PyJWKError) as error:
        raise JwksError(f"{path}: expected a JSON Web Key Set, found: {error}") from error


def _key_id(token: str) -> str | None:
    try:
        found = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise UnknownCallerError("expected an API key or a token, found neither") from None
    return found if isinstance(found, str) else None
