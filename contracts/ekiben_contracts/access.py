"""Who may ask over HTTP: scopes, and API keys as they are kept: a digest, never the key.

A key is 256 random bits, so a plain SHA-256 keeps it safe: slow hashes are for what people make up.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from ekiben_contracts.event import Part, Utc

_PREFIX: Final = "ekiben"
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32

LONGEST_NAME: Final = 128
RATE_PATTERN: Final = r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$"

Rate = Annotated[str, Field(pattern=RATE_PATTERN)]
"""Rows in a time, such as 600/minute."""


class Scope(StrEnum):
    """What a caller may do. None implies another."""

    PREDICT = "predict"
    EXPLAIN = "explain"
    ADMIN = "admin"


class StoredKey(Part):
    """One line of a file of keys."""

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="Whose it is; for people.")
    scopes: frozenset[Scope] = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    rate: Rate | None = Field(default=None, description="Missing, it is what the gateway gives everybody.")
    expires_at: Utc | None = None

    def is_of(self, key: str) -> bool:
        """Whether this is the digest of a key; as slow for a nearly right one as for any other."""
        return compare_digest(self.sha256, digest(key))


class NewKey(NamedTuple):
    """A key that nobody has seen yet, and what is kept of it."""

    key: str
    stored: StoredKey

    def __repr__(self) -> str:
        return f"NewKey({self.stored!r})"


def new_key(
    name: str, scopes: frozenset[Scope], rate: str | None = None, expires_at: Utc | None = None
) -> NewKey:
    """Draw one. Its id stands in the key, so that its line is found without trying all."""
    key_id = secrets.token_hex(_ID_BYTES)
    key = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    stored = StoredKey(
        id=key_id, name=name, scopes=scopes, sha256=digest(key), rate=rate, expires_at=expires_at
    )
    return NewKey(key, stored)


def id_of(key: str) -> str | None:
    """The id that stands in a key; None where it is no key of ours."""
    prefix, _, rest = key.partition("_")
    key_id, separator, _ = rest.partition("_")
    return key_id if prefix == _PREFIX and separator else None


def digest(key: str) -> str:
    """What is kept of a key."""
    return sha256(key.encode()).hexdigest()
