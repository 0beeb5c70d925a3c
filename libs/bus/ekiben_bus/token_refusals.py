"""aiokafka 0.14 takes a broker's "this token is invalid" for a yes; here it is heeded.

A broker answers a bad token with a JSON of its reason, and fails the login once the client has
acknowledged that (RFC 7628, 3.2.3). aiokafka never looks at the answer: it goes on as if it were logged
in, reads the broker's protest as an empty cluster, and dies of an AttributeError.
"""

from __future__ import annotations

from typing import Any

from aiokafka.conn import OAuthAuthenticator

_ACKNOWLEDGED = b"\x01"


class _HeedingAuthenticator(OAuthAuthenticator):
    _acknowledged = False

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """What to send next, and whether an answer comes; None once the broker has nothing to object."""
        if not payload or self._acknowledged:
            return await super().step(payload)
        self._acknowledged = True
        return _ACKNOWLEDGED, True


def heed_token_refusals() -> None:
    """For every connection of this process that logs in by a token."""
    import aiokafka.conn as connections  # noqa: PLC0415 - patched where it is looked up

    patched: Any = connections
    patched.OAuthAuthenticator = _HeedingAuthenticator
