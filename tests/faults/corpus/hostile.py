"""One hostile record and its fate, and the words to write many of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

REQUESTED = b"ekiben.prediction.requested.v1"
ENTITY = "UA1"
Header = tuple[str | bytes, bytes | None]
"""A name in bytes is not UTF-8: no Python client writes it, so it is put into the batch by hand."""


@dataclass(frozen=True)
class Scored:
    """A request after all, however odd: it goes on to the synthesizer. Without an id its place is one."""

    request_id: str | None = None


@dataclass(frozen=True)
class Answered:
    """Its sender is told `prediction.failed`; with a `reason` there is a dead letter too."""

    code: str
    request_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Buried:
    """Nobody can be told: a dead letter, byte for byte, and nothing else."""

    reason: str = "undecodable"


@dataclass(frozen=True)
class Refused:
    """The broker does not take it: there is nothing to lose."""


Fate = Scored | Answered | Buried | Refused
INVALID = Answered("invalid_request")


@dataclass(frozen=True)
class Hostile:
    """A record of the corpus. `packed` is the codec that it is compressed with, `at_ms` its timestamp."""

    name: str
    fate: Fate
    value: bytes | None
    headers: Sequence[Header] = ()
    key: bytes | None = ENTITY.encode()
    packed: str | None = None
    at_ms: int | None = None


def request(**fields: object) -> bytes:
    """A good request in bare JSON, but for some fields."""
    return json.dumps(
        {"model": "delay", "entity_id": ENTITY, "features": {"distance": 1400, "carrier": "UA"}, **fields}
    ).encode()


def without(*names: str) -> bytes:
    """A good request but for fields it does not have."""
    return json.dumps({k: v for k, v in json.loads(request()).items() if k not in names}).encode()


def feature(number: str) -> bytes:
    """A request whose distance is written like this."""
    return request(features={"distance": "@", "carrier": "UA"}).replace(b'"@"', number.encode())


def binary(ce_id: str | None = None, /, **more: bytes | None) -> list[Header]:
    """The headers of a CloudEvent in binary mode, with some of them otherwise; None: without it."""
    found: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_type": REQUESTED,
        "ce_source": b"/poison",
        "content-type": b"application/json",
    }
    if ce_id is not None:
        found["ce_id"] = ce_id.encode()
    found |= {name.replace("content_type", "content-type"): value for name, value in more.items()}
    return [(name, value) for name, value in found.items() if value is not None]
