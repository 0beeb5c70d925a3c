"""Requests with wrong fields, wrong times, and sizes at the limit."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace

from faults.corpus.hostile import (
    ENTITY,
    INVALID,
    Answered,
    Buried,
    Fate,
    Hostile,
    Refused,
    Scored,
    binary,
    request,
    without,
)

LIMIT = 1024 * 1024
OVERHEAD = 200
"""More than Kafka adds to a record that has a key and no headers."""
EXPIRED = Answered("deadline_exceeded")
UNKNOWN = Answered("unknown_model", None, "unknown-model")
INCOMPLETE = Answered("missing_features", None, "missing-features")


def fields() -> Iterator[Hostile]:
    yield from _wrong()
    yield from _times()
    yield from _sizes()
    yield from _packed()


def _wrong() -> Iterator[Hostile]:
    for name, value in {
        "an empty object": b"{}",
        "no model": without("model"),
        "no entity": without("entity_id"),
        "nothing but an id": json.dumps({"request_id": "lonely"}).encode(),
    }.items():
        yield Hostile(name, Answered("invalid_request", "lonely" if b"lonely" in value else None), value)
    for name, sent in (
        (
            "model",
            (None, 7, "", " ", "a b", "../etc/passwd", "m" * 129, "modèle", ["delay"], {"delay": 1}, True),
        ),
        ("entity_id", (None, 7, "", "e" * 257, [], {})),
        ("request_id", (7, "", "r" * 257, [], {}, False)),
        ("features", ([], "all", 7, True, {"distance": []}, {"distance": {}}, {"x": [1, 2]})),
        ("time_horizon", (None, 7, [])),
        ("explain", ("yes", 1, None)),
        ("context", (0, "true")),
        (
            "requested_at",
            ("now", 7, "2026-03-01", "2026-03-01T12:00:00", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z"),
        ),
        ("deadline", ("soon", 1e300, "10000-01-01T00:00:00Z", "2026-03-01T25:00:00Z", [], "")),
    ):
        for number, value in enumerate(sent):
            yield Hostile(f"{name} {number}: {str(value)[:20]}", INVALID, request(**{name: value}))
    yield Hostile("a model that nobody routed", UNKNOWN, request(model="nobody"))
    yield Hostile("a model in capitals", UNKNOWN, request(model="DELAY"))
    yield Hostile("null features", INCOMPLETE, request(features=None))
    yield Hostile("no features", INCOMPLETE, without("features"))
    yield Hostile("empty features", INCOMPLETE, request(features={}))
    yield Hostile("features of another model", INCOMPLETE, request(features={"wind": 3}))
    many: dict[str, object] = {f"f{number}": number for number in range(50_000)}
    features = {**many, "distance": 1, "carrier": "UA"}
    yield Hostile("50,000 features too many", Scored(), request(features=features))
    yield Hostile("features with odd names", Scored(), request(features={**features, "": 1, "\0": 2, "é": 3}))
    yield Hostile("unknown fields", Scored(), request(__class__="x", constructor={}, type="y"))


def _times() -> Iterator[Hostile]:
    end, start = "9999-12-31T23:59:59.999999", "0001-01-01T00:00:00"
    for name, fate, sent in (
        ("a deadline at the end of time", Scored(), {"deadline": f"{end}Z"}),
        ("a deadline beyond the end of time", Scored(), {"deadline": f"{end}-23:59"}),
        ("a deadline just before the end of time", Scored(), {"deadline": f"{end}+23:59"}),
        ("a deadline at the beginning of time", EXPIRED, {"deadline": f"{start}Z"}),
        ("a deadline before the beginning of time", EXPIRED, {"deadline": f"{start}+23:59"}),
        ("asked at the end of time", Scored(), {"requested_at": f"{end}-23:59"}),
        ("asked before the beginning of time", Scored(), {"requested_at": f"{start}+23:59"}),
        ("asked after its deadline", EXPIRED, {"requested_at": f"{end}Z", "deadline": f"{start}Z"}),
    ):
        yield Hostile(name, fate, request(**sent))
    yield Hostile("a record of 1970", Scored(), request(), at_ms=1)
    yield Hostile("a record of 1970, no JSON", Buried(), b"{", at_ms=1)


def _sizes() -> Iterator[Hostile]:
    room = LIMIT - OVERHEAD
    for name, fate, sent in (
        ("a request", Scored(), {}),
        ("a wrong request", INVALID, {"model": 7}),
        ("a request for nobody", UNKNOWN, {"model": "nobody"}),
    ):
        yield _filled(f"{name} at the limit", fate, room, **sent)
        yield _filled(f"{name} beyond the limit", Refused(), LIMIT + 1, **sent)
    yield Hostile("noise at the limit", Buried(), b"\xff" * room)
    told = Answered("invalid_request", "at-limit", "undecodable")
    yield Hostile("noise at the limit, with an id", told, b"\xff" * (room - 200), binary("at-limit"))
    yield Hostile("noise beyond the limit", Refused(), b"\xff" * (LIMIT + 1))
    yield Hostile("a key at the limit", Buried("empty"), None, key=b"k" * room)
    text = json.dumps("x" * (room - 200)).encode()
    yield Hostile("a wrong field of a megabyte", INVALID, b'{"model": %b, "entity_id": "e"}' % text)


def _packed() -> Iterator[Hostile]:
    """The broker measures what is compressed: what comes out may be larger than any topic takes."""
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        yield Hostile(f"packed by {codec}", Scored(), request(), packed=codec)
        large = _filled(
            f"a request for nobody of 3 MB, packed by {codec}", UNKNOWN, 3 * LIMIT, model="nobody"
        )
        yield replace(large, packed=codec)
        nothing = f"3 MB of nothing, packed by {codec}"
        yield Hostile(nothing, Buried(), bytes(3 * LIMIT), packed=codec)
    too_large = Answered("internal", None, "bug")
    yield replace(_filled("a good request of 3 MB, packed", too_large, 3 * LIMIT), packed="zstd")
    bomb = [(f"h{number}", b"x" * 1_000) for number in range(3_000)]
    yield Hostile("3 MB of headers, packed", Scored(), request(), bomb, packed="zstd")
    yield Hostile("3 MB of headers, packed, no JSON", Buried(), b"{", bomb, packed="zstd")
    twice = random.Random(5).randbytes(600_000) * 2
    yield Hostile("600 kB of noise twice, packed", Buried(), b"\xff" + twice, packed="zstd")


def _filled(name: str, fate: Fate, size: int, **sent: object) -> Hostile:
    """A request of so many bytes, by a feature that no model has."""
    plain = {"distance": 1400, "carrier": "UA"}
    value = request(features={**plain, "note": ""}, **sent)
    filling = "n" * (size - len(value) - len(ENTITY))
    return Hostile(name, fate, request(features={**plain, "note": filling}, **sent))
