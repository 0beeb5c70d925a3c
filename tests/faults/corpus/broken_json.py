"""Values that are no JSON, or JSON of another kind."""

from __future__ import annotations

import gzip
import pickle
import random
from collections.abc import Iterator

from faults.corpus.hostile import (
    INVALID,
    Answered,
    Buried,
    Hostile,
    Scored,
    binary,
    feature,
    request,
)

GOOD = request()
UNDECODABLE = Buried()


def broken_json() -> Iterator[Hostile]:
    yield from _cut()
    yield from _nested()
    yield from _no_json()
    yield from _odd_texts()
    yield from _numbers()
    yield from _twice()


def _cut() -> Iterator[Hostile]:
    yield Hostile("cut to nothing", Buried("empty"), b"")
    yield Hostile("no value at all", Buried("empty"), None)
    for size in range(1, len(GOOD), 4):
        yield Hostile(f"cut to {size} bytes", UNDECODABLE, GOOD[:size])
    for size in (1, 20, len(GOOD) - 1):
        told = Answered("invalid_request", f"cut-{size}", "undecodable")
        yield Hostile(f"cut to {size} bytes, with an id", told, GOOD[:size], binary(f"cut-{size}"))
    yield Hostile("nothing, with an id", Answered("invalid_request", "void", "empty"), b"", binary("void"))


def _nested() -> Iterator[Hostile]:
    for depth in (1_000, 100_000, 1_000_000):
        yield Hostile(f"{depth} open lists", UNDECODABLE, b"[" * depth)
        yield Hostile(f"{depth} open objects", UNDECODABLE, b'{"a":' * (depth // 5))
    for depth in (1_000, 100_000):
        yield Hostile(f"{depth} lists in lists", UNDECODABLE, b"[" * depth + b"]" * depth)
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        yield Hostile(f"{depth} objects in objects", UNDECODABLE, deep)
    yield Hostile("a request with 100,000 lists beside", UNDECODABLE, _beside(100_000))
    yield Hostile("a request with 500 lists beside", INVALID, _beside(500))
    yield Hostile("a request with 50 lists beside", Scored(), _beside(50))
    yield Hostile("a feature 50 deep", INVALID, feature("[" * 50 + "]" * 50))
    yield Hostile("100,000 brackets that never fit", UNDECODABLE, b"[{" * 50_000)


def _beside(depth: int) -> bytes:
    return GOOD[:-1] + b', "beside": ' + b"[" * depth + b"]" * depth + b"}"


def _no_json() -> Iterator[Hostile]:
    for name, value in {
        "a blank": b" ",
        "a line": b"\n",
        "null": b"null",
        "true": b"true",
        "zero": b"0",
        "a list": b"[]",
        "a list of requests": b"[" + GOOD + b"]",
        "a text": b'"request"',
        "a request as text": b'"' + GOOD.replace(b'"', b'\\"') + b'"',
        "single quotes": GOOD.replace(b'"', b"'"),
        "a comma at the end": GOOD[:-1] + b",}",
        "a comment": b"/* hello */" + GOOD,
        "no quotes": b"{model: delay}",
        "two requests": GOOD + GOOD,
        "two lines of requests": GOOD + b"\n" + GOOD,
        "something behind": GOOD + b"x",
        "XML": b"<?xml version='1.0'?><model>delay</model>",
        "HTML": b"<html></html>",
        "YAML": b"model: delay\nentity_id: UA1\n",
        "a form": b"model=delay&entity_id=UA1",
        "gzip": gzip.compress(GOOD, mtime=0),
        "a pickle": pickle.dumps({"model": "delay"}),
        "MessagePack": b"\x83\xa5model\xa5delay",
        "Confluent's framing": b"\x00\x00\x00\x00\x07" + GOOD,
        "Python's None": b"None",
        "a Windows text": "né".encode("cp1252"),
    }.items():
        yield Hostile(name, UNDECODABLE, value)
    draw = random.Random(4)  # a seed, so that the bytes stay the same
    for number in range(10):
        yield Hostile(f"noise {number}", UNDECODABLE, b"\x80" + draw.randbytes(draw.randint(1, 5_000)))


def _odd_texts() -> Iterator[Hostile]:
    for name, value in {
        "a byte order mark": b"\xef\xbb\xbf" + GOOD,
        "UTF-16": GOOD.decode().encode("utf-16"),
        "UTF-16 without a mark": GOOD.decode().encode("utf-16-le"),
        "UTF-32": GOOD.decode().encode("utf-32"),
        "null bytes": bytes(10),
        "a megabyte of null bytes": bytes(1_000_000),
        "a null byte before": b"\x00" + GOOD,
        "a null byte behind": GOOD + b"\x00",
        "a null byte in a text": GOOD.replace(b"UA1", b"U\x001"),
        "a line in a text": GOOD.replace(b"UA1", b"U\n1"),
        "a byte that is no UTF-8": GOOD.replace(b"UA1", b"U\xff1"),
        "a text that ends within a character": GOOD.replace(b"UA1", b"UA\xc3"),
        "an overlong slash": GOOD.replace(b"UA1", b"\xc0\xaf1"),
        "half a pair": GOOD.replace(b"UA1", b"\xed\xa0\x80"),
        "half a pair, escaped": GOOD.replace(b"UA1", b"\\ud800"),
        "a pair in the wrong order": GOOD.replace(b"UA1", b"\\udc00\\ud800"),
        "an escape of nothing": GOOD.replace(b"UA1", b"\\x41"),
        "a broken key": GOOD.replace(b"model", b"mod\xffel"),
    }.items():
        yield Hostile(name, UNDECODABLE, value)
    for name, text in {
        "an escaped null": b"\\u0000",
        "a pair, escaped": b"\\ud83d\\ude00",
        "text from right to left": "\u202eUA1".encode(),
        "a thousand accents": ("e" + "\u0301" * 200).encode(),
        "control characters, escaped": b"\\u0007\\u001b[2J",
    }.items():
        yield Hostile(name, Scored(), GOOD.replace(b"UA1", text))


def _numbers() -> Iterator[Hostile]:
    for name, number in {
        "too large a float": "1e400",
        "too small a float": "-1e400",
        "an integer of 400 digits": "9" * 400,
        "an integer of 5,000 digits": "9" * 5_000,
        "an integer of 500,000 digits": "9" * 500_000,
        "a float of 5,000 digits and more": "9" * 5_000 + ".5",
        "a number of 5,000 digits in a list": "[1" + "0" * 5_000 + "]",
        "NaN": "NaN",
        "infinity": "Infinity",
        "a boolean for a number": "true",
        "a text for a number": '"1400"',
        "a list for a number": "[1400]",
    }.items():
        yield Hostile(name, INVALID, feature(number))
    long = b'{"model": "delay", "request_id": "long", "entity_id": %s}' % (b"9" * 5_000)
    yield Hostile("5,000 digits for an entity, and an id", Answered("invalid_request", "long"), long)
    for name, number in {
        "hexadecimal": "0x10",
        "a leading zero": "01",
        "a plus": "+1",
        "no digit behind the point": "1.",
        "no digit before the point": ".5",
        "two signs": "--1",
        "an exponent without digits": "1e",
        "an underline": "1_000",
        "Arabic digits": "\u0661",
    }.items():
        yield Hostile(f"a number with {name}", UNDECODABLE, feature(number))
    for name, number in {
        "the largest float": "1.7976931348623157e308",
        "the smallest float": "5e-324",
        "a float that is too small": "1e-400",
        "minus zero": "-0",
        "a float of 5,000 places": "0." + "1" * 5_000,
        "an exponent of 5,000 zeros": "1e" + "0" * 5_000,
        "two to the 63rd": str(2**63),
        "two to the 64th": str(2**64),
        "a googol": str(10**100),
    }.items():
        yield Hostile(name, Scored(), feature(number))
    for name, attempt in {"zero": "0", "less": "-1", "half": "1.5", "huge": "9" * 30, "text": '"2"'}.items():
        yield Hostile(
            f"an attempt that is {name}", INVALID, GOOD[:-1] + b', "attempt": %b}' % attempt.encode()
        )
    yield Hostile("an attempt of the sender's", Scored("claims"), request(attempt=7, request_id="claims"))


def _twice() -> Iterator[Hostile]:
    for name, fate, more in (
        ("a model twice", Scored(), b'"model": "nobody", "model": "delay"'),
        (
            "a model twice, the other first",
            Answered("unknown_model", None, "unknown-model"),
            b'"model": "nobody"',
        ),
        ("an entity twice", Scored(), b'"entity_id": "x", "entity_id": "y"'),
        ("features twice, the last wrong", INVALID, b'"features": []'),
        ("an id twice", Scored("second"), b'"request_id": "first", "request_id": "second"'),
        ("an id twice, the first no id", Scored("good"), b'"request_id": [], "request_id": "good"'),
        ("an id twice, the last no id", INVALID, b'"request_id": "good-1", "request_id": 1'),
    ):
        yield Hostile(name, fate, GOOD[:-1] + b", " + more + b"}")
    yield Hostile("a feature twice", Scored(), feature('"far", "distance": 7'))
    many = b", ".join(b'"k": %d' % n for n in range(50_000))
    yield Hostile("a key 50,000 times", Scored(), GOOD[:-1] + b", " + many + b"}")
