"""Tokens to log in with: what one says of its own life, and those that a file holds."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from aiokafka.abc import AbstractTokenProvider

from ekiben_bus.errors import TokenError
from ekiben_bus.refusals import Case, Refusal


class FileTokens(AbstractTokenProvider):
    """The token that a file holds now: whoever renews it, Kubernetes or an agent, need not tell us."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    async def token(self) -> str:
        """As `read`, as aiokafka asks for it."""
        return self.read()

    def read(self) -> str:
        """What the file holds.

        Raises:
            TokenError: it is away, empty, or holds a token that has expired.
        """
        try:
            value = self._path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self._error(f"{type(error).__name__}: {error}") from error
        if not value:
            raise self._error("an empty file")
        expires_at = expiry(value)
        if expires_at is not None and expires_at <= self._clock():
            raise self._error(f"one that expired {self._clock() - expires_at:.0f} s ago")
        return value

    def _error(self, found: str) -> TokenError:
        attempt = "the file that is renewed from time to time; it is read at every connection"
        setting = "KAFKA_SASL_OAUTH_TOKEN_FILE"
        return TokenError(
            Refusal(Case.NO_TOKEN, str(self._path), setting, "a token that is valid now", found, attempt)
        )


def expiry(token: str) -> float | None:
    """When a JSON Web Token says that it expires, in seconds since 1970; None where it does not say."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims and signature (RFC 7519)
        return None
    try:
        claims = json_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    expires_at = claims.get("exp")
    return float(expires_at) if isinstance(expires_at, int | float) else None


def json_object(text: bytes) -> dict[str, object]:
    """A JSON object; empty for anything else."""
    try:
        found: object = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}
