"""OIDC tokens: JWTs that a provider signed for this gateway, checked with the provider's public keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import jwt

from ekiben_contracts.access import Scope
from ekiben_inference_gateway.http.access.callers import Caller, UnknownCallerError
from ekiben_inference_gateway.http.access.provider_keys import ProviderKeys

_REQUIRED = ["exp", "iss", "aud", "sub"]


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
