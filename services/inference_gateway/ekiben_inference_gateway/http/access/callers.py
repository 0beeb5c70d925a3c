"""Whoever asks, and the errors of whoever may not. Nothing here holds or tells a secret."""

from __future__ import annotations

from dataclasses import dataclass

from ekiben_contracts.access import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """`id` is a key's, or a token's issuer and subject; `rate` is the key's own."""

    id: str
    scopes: frozenset[Scope]
    rate: str | None = None


class UnknownCallerError(Exception):
    """Neither a key nor a token that is taken here. The message never says what was sent."""


class UnreachableProviderError(Exception):
    """Whether a token is good cannot be told now."""


ANYBODY = Caller("anybody", frozenset(Scope))
"""Who asks on loopback, where nobody has to say who they are."""
