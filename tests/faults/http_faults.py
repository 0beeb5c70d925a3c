"""The faults of a model server behind HTTP as data, each with what the gateway has to make of it."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto

import numpy as np

from ekiben_serving.columnar import decode_answer, encode_answer
from faults.fault_proxy import Answer, Fault, forward, reset


class Verdict(Enum):
    """What becomes of the requests of a body."""

    PARKED = auto()
    RETRIED = auto()
    DEAD = auto()
    ONE_ROW_DEAD = auto()


REFUSED = "connection refused"
"""This one the proxy makes by not listening."""


async def _silence(answer: Answer, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _hang_up(answer: Answer, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _reset_before(answer: Answer, writer: asyncio.StreamWriter) -> None:
    reset(writer)


def _dripping(*, from_the_body: bool) -> Fault:
    async def drip(answer: Answer, writer: asyncio.StreamWriter) -> None:
        begin = len(answer.raw) - len(answer.body) if from_the_body else 0
        writer.write(answer.raw[:begin])
        for place in range(begin, len(answer.raw)):
            writer.write(answer.raw[place : place + 1])
            await writer.drain()
            await asyncio.sleep(0.05)

    return drip


async def _reset_in_body(answer: Answer, writer: asyncio.StreamWriter) -> None:
    writer.write(answer.raw[: -len(answer.body) // 2])
    await writer.drain()
    await asyncio.sleep(0.02)  # or the reset overtakes what was written
    reset(writer)


async def _end_in_body(answer: Answer, writer: asyncio.StreamWriter) -> None:
    writer.write(answer.raw[: -len(answer.body) // 2])
    await writer.drain()
    writer.close()


async def _too_long(answer: Answer, writer: asyncio.StreamWriter) -> None:
    writer.write(replace(answer, length=len(answer.body) + 10).raw)
    await writer.drain()
    writer.close()


async def _no_http(answer: Answer, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()
    writer.close()


def _changed(**changes: object) -> Fault:
    async def answer_otherwise(answer: Answer, writer: asyncio.StreamWriter) -> None:
        await forward(replace(answer, **changes), writer)

    return answer_otherwise


def _status(status: str, *headers: tuple[bytes, bytes]) -> Fault:
    return _changed(status=status.encode(), headers=((b"content-type", b"text/plain"), *headers), body=b"no")


def _typed(content_type: bytes, body: bytes) -> Fault:
    async def answer_otherwise(answer: Answer, writer: asyncio.StreamWriter) -> None:
        await forward(replace(answer.with_type(content_type), body=body), writer)

    return answer_otherwise


async def _too_short(answer: Answer, writer: asyncio.StreamWriter) -> None:
    await forward(replace(answer, length=len(answer.body) - 8), writer)


async def _wrong_header(answer: Answer, writer: asyncio.StreamWriter) -> None:
    await forward(replace(answer, body=answer.body.replace(b'{"rows"', b"{'rows'")), writer)


async def _one_row_less(answer: Answer, writer: asyncio.StreamWriter) -> None:
    await forward(replace(answer, body=_of_rows(answer.body, -1)), writer)


async def _one_row_more(answer: Answer, writer: asyncio.StreamWriter) -> None:
    await forward(replace(answer, body=_of_rows(answer.body, 1)), writer)


async def _another_version(answer: Answer, writer: asyncio.StreamWriter) -> None:
    await forward(replace(answer, body=answer.body.replace(b'"version":"1"', b'"version":"9"')), writer)


async def _another_model(answer: Answer, writer: asyncio.StreamWriter) -> None:
    await forward(replace(answer, body=answer.body.replace(b"tiny-sick", b"tiny-well")), writer)


def _value(number: float) -> Fault:
    async def answer_otherwise(answer: Answer, writer: asyncio.StreamWriter) -> None:
        found = decode_answer(answer.body, _rows(answer.body))
        values = np.array(found.values)
        values[0] = number
        await forward(replace(answer, body=encode_answer(found._replace(values=values))), writer)

    return answer_otherwise


def _of_rows(body: bytes, more: int) -> bytes:
    count = _rows(body)
    found = decode_answer(body, count)
    rows = [*range(count), 0][: count + more]
    labels = None if found.labels is None else found.labels[rows]
    probabilities = None if found.probabilities is None else found.probabilities[rows]
    values = found.values[rows]
    return encode_answer(found._replace(values=values, labels=labels, probabilities=probabilities))


def _rows(body: bytes) -> int:
    (length,) = struct.unpack_from("<4xI", body)
    return json.loads(body[8 : 8 + length])["rows"]


ROWS = 3
"""Requests that meet each fault, in one body."""
FAULTS: Mapping[str, tuple[Verdict, Fault]] = {
    REFUSED: (Verdict.PARKED, forward),
    "no answer": (Verdict.PARKED, _silence),
    "hung up before any answer": (Verdict.PARKED, _hang_up),
    "reset before any answer": (Verdict.PARKED, _reset_before),
    "a slow drip": (Verdict.PARKED, _dripping(from_the_body=False)),
    "a body that drips": (Verdict.PARKED, _dripping(from_the_body=True)),
    "429": (Verdict.PARKED, _status("429 Too Many Requests")),
    "429 for an hour": (Verdict.PARKED, _status("429 Too Many Requests", (b"retry-after", b"3600"))),
    "503": (Verdict.PARKED, _status("503 Service Unavailable")),
    "500": (Verdict.RETRIED, _status("500 Internal Server Error")),
    "reset in the body": (Verdict.RETRIED, _reset_in_body),
    "the end in the body": (Verdict.RETRIED, _end_in_body),
    "a length too long": (Verdict.RETRIED, _too_long),
    "a length too short": (Verdict.RETRIED, _too_short),
    "no HTTP": (Verdict.RETRIED, _no_http),
    "nothing in the body": (Verdict.RETRIED, _changed(body=b"")),
    "400": (Verdict.DEAD, _status("400 Bad Request")),
    "404": (Verdict.DEAD, _status("404 Not Found")),
    "301": (Verdict.DEAD, _status("301 Moved Permanently", (b"location", b"http://127.0.0.1:1/"))),
    "HTML": (Verdict.DEAD, _typed(b"text/html", b"<html></html>")),
    "JSON": (Verdict.DEAD, _typed(b"application/json", b"[0.5, 0.5, 0.5]")),
    "another frame": (Verdict.DEAD, _changed(body=b"EKA2" + bytes(60))),
    "a header that is no JSON": (Verdict.DEAD, _wrong_header),
    "a row too few": (Verdict.DEAD, _one_row_less),
    "a row too many": (Verdict.DEAD, _one_row_more),
    "another model": (Verdict.DEAD, _another_model),
    "another version": (Verdict.DEAD, _another_version),
    "NaN in one row": (Verdict.ONE_ROW_DEAD, _value(np.nan)),
    "infinity in one row": (Verdict.ONE_ROW_DEAD, _value(np.inf)),
}
