"""Records that are broken on purpose: each must be accounted for, and none may cost another its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.prediction import FailureCode, PredictionRequested

CASE_HEADER: Final = "demo-case"
"""A header of the demo's own: it comes back on the dead letter of a record that nobody can read."""

_LONG_AGO: Final = datetime(2013, 9, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """One record, published as these bytes, and what should become of it.

    `key` is what the ledger knows it by: its request id, or the name of its case where it has none.
    `expected` is the code of its answer; None where nobody can tell whom to answer.
    """

    key: str
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    expected: FailureCode | None
    record_key: bytes | None = None


def broken_records(pattern: PredictionRequested, run: str) -> list[BrokenRecord]:
    """Ten ways to be wrong; those with a request id are `pattern` with one thing broken."""
    return [*_unreadable(pattern, run), *_answerable(pattern, run)]


def _unreadable(pattern: PredictionRequested, run: str) -> list[BrokenRecord]:
    good = pattern.to_json()
    cases: Mapping[str, tuple[bytes | None, Sequence[tuple[str, bytes]]]] = {
        "no-json": (b"carrier=UA&flight=1545", ()),
        "no-object": (b"[1, 2, 3]", ()),
        "empty": (None, ()),
        "unknown-type": (good, [("ce_specversion", b"1.0"), ("ce_type", b"somebody.elses.event.v1")]),
        "header-not-utf-8": (good, [("ce_specversion", b"1.0"), ("ce_type", b"\xff\xfe")]),
    }
    return [
        BrokenRecord(_name(case, run), value, [*headers, (CASE_HEADER, _name(case, run).encode())], None)
        for case, (value, headers) in cases.items()
    ]


def _answerable(pattern: PredictionRequested, run: str) -> list[BrokenRecord]:
    features = pattern.features or {}
    without_one = dict(list(features.items())[1:])
    with_text: dict[str, FeatureValue] = {**features, "distance": "far"}
    with_nan: dict[str, FeatureValue] = {**features, "temperature": float("nan")}
    cases: Mapping[str, tuple[FailureCode, Mapping[str, object]]] = {
        "unknown-model": (FailureCode.UNKNOWN_MODEL, {"model": "no-such-model"}),
        "missing-feature": (FailureCode.MISSING_FEATURES, {"features": without_one}),
        "wrong-type": (FailureCode.INVALID_REQUEST, {"features": with_text}),
        "not-a-number": (FailureCode.INVALID_REQUEST, {"features": with_nan}),
        "past-deadline": (FailureCode.DEADLINE_EXCEEDED, {"deadline": _LONG_AGO.isoformat()}),
    }
    return [
        _request(pattern, _name(case, run), expected, changed) for case, (expected, changed) in cases.items()
    ]


def _request(
    pattern: PredictionRequested, name: str, expected: FailureCode, changed: Mapping[str, object]
) -> BrokenRecord:
    body = {**pattern.model_dump(mode="json", exclude_defaults=True), "request_id": name, **changed}
    # json of the standard library, since it writes the NaN that ours refuses to
    value = json.dumps(body).encode()
    return BrokenRecord(name, value, [(CASE_HEADER, name.encode())], expected, pattern.entity_id.encode())


def _name(case: str, run: str) -> str:
    return f"broken-{case}@{run}" if run else f"broken-{case}"
