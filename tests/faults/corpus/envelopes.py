"""Keys, headers and CloudEvents that are not as they should be."""

from __future__ import annotations

import json
from collections.abc import Iterator

from faults.corpus.hostile import INVALID, REQUESTED, Answered, Buried, Hostile, Scored, binary, request

GOOD = request()
STRUCTURED = b"application/cloudevents+json"


def envelopes() -> Iterator[Hostile]:
    yield from _keys()
    yield from _header_values()
    yield from _header_names()
    yield from _bombs()
    yield from _binary()
    yield from _structured()


def _keys() -> Iterator[Hostile]:
    for name, key in {
        "no key": None,
        "an empty key": b"",
        "a key that is no UTF-8": b"\xff\xfe\x80",
        "a key of null bytes": bytes(7),
        "a key of 100 kB": b"k" * 100_000,
        "a key that is JSON": GOOD,
    }.items():
        yield Hostile(name, Scored(), GOOD, key=key)
    yield Hostile("a key that is no UTF-8, no value", Buried("empty"), None, key=b"\xff")
    yield Hostile("a key that is no UTF-8, no JSON", Buried(), b"\xff", key=b"\xff")


def _header_values() -> Iterator[Hostile]:
    for header in ("ce_id", "ce_type", "ce_source", "ce_specversion"):
        yield Hostile(f"{header} is no UTF-8", Buried(), GOOD, binary(**{header: b"\xff\xfe"}))
    told = Answered("invalid_request", "told", "undecodable")
    yield Hostile("ce_source is no UTF-8, with an id", told, GOOD, binary("told", ce_source=b"\xc3\x28"))
    for name, more in {
        "traceparent is no UTF-8": {"traceparent": b"\xff"},
        "traceparent is long": {"traceparent": b"0" * 60_000},
        "content-type is no UTF-8": {"content_type": b"\xff\xfe"},
        "content-type is long": {"content_type": b"a" * 60_000},
        "content-type is another": {"content_type": b"text/plain"},
        "another header is no UTF-8": {"other": b"\xff\xfe\x80"},
        "a header of null bytes": {"other": bytes(100)},
    }.items():
        yield Hostile(name, Scored(f"h-{name}"), GOOD, binary(f"h-{name}", **more))
    yield Hostile("a header without a value", Scored(), GOOD, [("nothing", None), ("ce_id", None)])
    yield Hostile("every ce_ header without a value", Scored(), GOOD, [(n, None) for n, _ in binary("x")])
    yield Hostile("a header without a name", Scored(), GOOD, [("", b"x")])
    yield Hostile("a header without a name and value", Buried(), b"{", [("", None)])


def _header_names() -> Iterator[Hostile]:
    for name, header in {
        "no UTF-8": b"\xff\xfe\x80\x81\x82\x83",
        "cut within a character": b"ce_id\xc3",
        "overlong": b"\xc0\xaf\xc0\xaf\xc0\xaf",
        "half a pair": b"\xed\xa0\x80\xed\xa0\x80",
        "long and no UTF-8": b"\xff" * 60_000,
    }.items():
        yield Hostile(f"a header name that is {name}", Scored(), GOOD, [(header, b"v")])
        yield Hostile(f"a header name that is {name}, no JSON", Buried(), b"\xff", [(header, None)])
    several = [(b"\xff\xfe\xfd%03d" % number, b"x") for number in range(100)]
    yield Hostile("a hundred such names and an id", Scored("named"), GOOD, [*binary("named"), *several])


def _bombs() -> Iterator[Hostile]:
    for name, headers in {
        "10,000 headers": [(f"h{number}", b"x") for number in range(10_000)],
        "90,000 headers without a name": [("", b"")] * 90_000,
        "a header of 900 kB": [("h", b"x" * 900_000)],
        "a name of 30 kB": [("n" * 30_000, b"x")],
        "30 names of 30 kB": [(f"{number:02}" + "n" * 30_000, b"x") for number in range(30)],
        "a thousand null headers": [("n", None)] * 1_000,
    }.items():
        yield Hostile(name, Scored(), GOOD, headers)
        yield Hostile(f"{name}, no JSON", Buried(), b"{", headers)
    ids = [("ce_id", b"id-%d" % number) for number in range(1_000)]
    yield Hostile("a thousand ids", Scored("id-999"), GOOD, [*binary(), *ids])
    forged = [
        (f"ekiben-lane-{mark}", b"7") for mark in ("topic", "partition", "offset", "timestamp", "attempt")
    ]
    yield Hostile("the marks of a lane", Scored(), GOOD, forged)
    claims = [(f"dlq-{name}", b"\xff") for name in ("id", "topic", "reason", "error-stack", "attempt")]
    yield Hostile("the headers of a dead letter", Buried(), b"{", claims)
    yield Hostile("a topic to reply to", Scored(), GOOD, [("reply_to", b"ekiben.routes")])
    yield Hostile("a correlation of FastStream's", Scored(), GOOD, [("correlation_id", b"\xff")])


def _binary() -> Iterator[Hostile]:
    for version in (b"0.3", b"1", b"2.0", b"", b"one"):
        fate = Answered("invalid_request", f"v-{version.decode()}", "unknown-version")
        yield Hostile(
            f"CloudEvents {version}", fate, GOOD, binary(f"v-{version.decode()}", ce_specversion=version)
        )
    for name, kind, reason in (
        ("of nothing", b"", "unknown-type"),
        ("of another product", b"com.example.ordered", "unknown-type"),
        ("of another topic", b"ekiben.prediction.completed.v1", "unknown-type"),
        ("of the deployer", b"ekiben.deployment.requested.v1", "unknown-type"),
        ("of a later version", b"ekiben.prediction.requested.v2", "unknown-version"),
        ("of an earlier version", b"ekiben.prediction.requested.v0", "unknown-version"),
        ("without its version", b"ekiben.prediction.requested", "unknown-type"),
        ("with a blank", REQUESTED + b" ", "unknown-version"),
        ("in capitals", REQUESTED.upper(), "unknown-type"),
        ("of 60 kB", b"t" * 60_000, "unknown-type"),
    ):
        told = Answered("invalid_request", f"t-{name}", reason)
        yield Hostile(f"a type {name}", told, GOOD, binary(f"t-{name}", ce_type=kind))
        yield Hostile(f"a type {name}, without an id", Buried(reason), GOOD, binary(ce_type=kind))
    yield Hostile("an empty id", Buried(), GOOD, binary(""))
    yield Hostile("an id of 257 characters", Buried(), GOOD, binary("i" * 257))
    yield Hostile("an id of 60 kB", Buried(), GOOD, binary("i" * 60_000))
    yield Hostile("an id of 256 characters", Scored("é" * 256), GOOD, binary("é" * 256))
    yield Hostile("an id of null bytes", Scored("\0\0"), GOOD, binary("\0\0"))
    yield Hostile("an id of its own and another", Scored("mine"), request(request_id="mine"), binary("ce"))
    yield Hostile(
        "wrong fields, with an id", Answered("invalid_request", "ce-7"), request(model=7), binary("ce-7")
    )


def _event(**attributes: object) -> bytes:
    envelope = {"specversion": "1.0", "id": "s", "type": REQUESTED.decode(), "source": "/poison"}
    event = {**envelope, "data": json.loads(GOOD), **attributes}
    return json.dumps({name: value for name, value in event.items() if value != "absent"}).encode()


def _structured() -> Iterator[Hostile]:
    header = [("content-type", STRUCTURED)]
    for name, value in {
        "cut": _event()[:40],
        "a list": b"[" + _event() + b"]",
        "no JSON": b"\xff",
        "an id that is a number": _event(id=7),
        "a specversion that is a number": _event(specversion=1.0, id="absent"),
        "a type that is a list": _event(type=[], id="absent"),
        "a source that is an object": _event(source={}, id="absent"),
        "too deep": _event(id="absent")[:-1] + b', "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    }.items():
        yield Hostile(f"structured, {name}", Buried(), value, header)
    yield Hostile("structured, empty", Buried("empty"), b"", header)
    yield Hostile("structured, no value", Buried("empty"), None, header)
    yield Hostile(
        "structured, no type, no id", Buried("unknown-type"), _event(type="absent", id="absent"), header
    )
    for name, reason, attributes in (
        ("no type", "unknown-type", {"type": "absent"}),
        ("another type", "unknown-type", {"type": "com.example.ordered"}),
        ("another version", "unknown-version", {"specversion": "0.3"}),
        ("no data", "empty", {"data": "absent"}),
        ("data in base64", "undecodable", {"data_base64": "e30=", "data": "absent"}),
        ("data that is null", "undecodable", {"data": None}),
        ("data that is a text", "undecodable", {"data": "{}"}),
        ("a source that is a number", "undecodable", {"source": 7}),
    ):
        told = Answered("invalid_request", f"s-{name}", reason)
        yield Hostile(f"structured, {name}", told, _event(id=f"s-{name}", **attributes), header)
    yield Hostile(
        "structured, a wrong field", Answered("invalid_request", "s-w"), _event(id="s-w", data={}), header
    )
    yield Hostile("structured, no id", Scored(), _event(id="absent"), header)
    odd = [("content-type", b" Application/CloudEvents+JSON ; charset=utf-8")]
    yield Hostile("structured, in capitals", Scored("s-caps"), _event(id="s-caps"), odd)
    batch = [("content-type", b"application/cloudevents-batch+json")]
    yield Hostile("a batch of CloudEvents", Buried(), b"[" + _event() + b"]", batch)
    yield Hostile("an event without its content type", INVALID, _event())
