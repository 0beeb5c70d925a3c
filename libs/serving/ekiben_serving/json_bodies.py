"""Rows to a JSON body, and one answer a row back: what a BentoML API that somebody wrote takes and gives.

An answer is a number, or {value, label?, probabilities?}, or {error: {code, message}}.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast, get_args

from ekiben_serving.columnar.frames import brief, is_text
from ekiben_serving.model_client import Features, ModelOutput
from ekiben_serving.specs import ColumnSpec, FeatureValue
from ekiben_serving.validation import RowError, RowErrorCode

JSON_TYPE: Final = "application/json"
_CODES: Final = frozenset(get_args(RowErrorCode))
_UNQUOTED: Final = "what is not shown, since it may quote sensitive values or another row"
_SHAPES: Final = "a finite number, or {value, label?, probabilities?}"


class JSONBodyError(ValueError):
    """An answer that is no list of one element for each row."""


def encode_body(parameter: str, rows: Sequence[Features], specs: Iterable[ColumnSpec]) -> bytes:
    """{parameter: rows}. With a signature each row has its columns alone, null where it has no value."""
    names = [spec.name for spec in specs]
    sent: list[Mapping[str, FeatureValue]] = [
        {name: row.get(name) for name in names} if names else dict(row) for row in rows
    ]
    return json.dumps({parameter: sent}, allow_nan=False, separators=(",", ":")).encode()


def check_finite(row: Features) -> RowError | None:
    """JSON has no NaN and no infinity."""
    wrong = [name for name, value in row.items() if isinstance(value, float) and not math.isfinite(value)]
    if not wrong:
        return None
    return RowError("invalid_request", f"{wrong[0]}: expected a finite number, found {row[wrong[0]]!r}.")


def decode_answers(
    body: bytes,
    rows: int,
    *,
    model: str,
    version: str,
    latency_ms: float,
    is_quotable: bool = False,
    is_sensitive: bool = False,
) -> list[ModelOutput | RowError]:
    """What each row was answered. One that has no finite number costs no other row.

    The error of a whole body quotes it only where it `is_quotable`; that of a row its answer, unless what
    it was asked `is_sensitive`.

    Raises:
        JSONBodyError: the body is no JSON list of so many elements.
    """
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        raise JSONBodyError(
            f"expected a JSON list of {rows} answers, found {_told(body, is_quotable)}"
        ) from None
    if not isinstance(found, list) or len(cast("list[object]", found)) != rows:
        is_told = is_quotable or isinstance(found, list)
        raise JSONBodyError(f"expected a JSON list of {rows} answers, found {_told(found, is_told)}")
    answers = cast("list[object]", found)
    return [_answer(answer, model, version, latency_ms, not is_sensitive) for answer in answers]


def _answer(
    answer: object, model: str, version: str, latency_ms: float, is_quotable: bool
) -> ModelOutput | RowError:
    fields: dict[str, Any] = answer if isinstance(answer, dict) else {"value": answer}
    match fields:
        case {"error": {"code": str(code), "message": str(message)}}:
            told = (
                message
                if is_quotable
                else f"expected an output of the model, found an error and {_UNQUOTED}."
            )
            return RowError(cast("RowErrorCode", code) if code in _CODES else "internal", told)
        case {"value": value}:
            label, probabilities = fields.get("label"), fields.get("probabilities")
            number = _finite(value)
            if number is not None and (label is None or is_text(label)) and _are_finite(probabilities):
                return ModelOutput(model, version, number, label, probabilities, latency_ms)
        case _:
            pass
    return RowError("internal", f"expected {_SHAPES} of the model, found {_told(answer, is_quotable)}.")


def _told(found: object, is_quotable: bool) -> str:
    return brief(found) if is_quotable else _UNQUOTED


def _are_finite(probabilities: object) -> bool:
    if probabilities is None:
        return True
    if not isinstance(probabilities, dict) or not probabilities:
        return False
    found = cast("dict[str, object]", probabilities)
    return all(is_text(name) and _finite(value) is not None for name, value in found.items())


def _finite(value: object) -> float | None:
    """None for what is no finite number; True is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
