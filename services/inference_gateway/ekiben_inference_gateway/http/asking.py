"""From the JSON of a body to prediction requests, or to what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from pydantic import JsonValue, ValidationError
from pydantic_core import from_json, to_json

from ekiben_contracts.prediction import FailureCode, PredictionRequested
from ekiben_contracts.sensitive import marks
from ekiben_contracts.wording import describe, kind
from ekiben_inference_gateway.http.problems import Problem, ProblemError, problem

Ids = Callable[[], str]
_LEAST_BYTES: Final = len('"":1,')
"""Of one feature in JSON."""


def read_request(body: bytes, most_features: int, ids: Ids, *, explain: bool = False) -> PredictionRequested:
    """The one request of a body; its route says whether it is explained.

    Types are exact, as on the bus: the text "1" is no number.

    Raises:
        ProblemError: it is no JSON, a field is wrong, or it has too many features.
    """
    if len(body) > most_features * _LEAST_BYTES:
        whole = _parse(body)
        too_many = _too_many_features(whole, most_features)
        if too_many is not None:
            raise ProblemError(FailureCode.INVALID_REQUEST, too_many, request_id=_said_id(whole))
    try:
        asked = PredictionRequested.from_json(body)
    except ValidationError as error:
        _parse(body)
        raise ProblemError(FailureCode.INVALID_REQUEST, describe(error, marks(PredictionRequested))) from None
    return _identified(asked, ids, explain=explain)


def read_batch(
    body: bytes, most_rows: int, most_features: int, ids: Ids
) -> list[PredictionRequested | Problem]:
    """The rows of a body {"requests": [...]}; a bad one has its problem in its place.

    Raises:
        ProblemError: the whole is no JSON of this form, empty, or has too many rows.
    """
    whole = _parse(body)
    rows = whole.get("requests") if isinstance(whole, dict) else None
    if not isinstance(rows, list):
        what = kind(whole) if not isinstance(whole, dict) else kind(rows)
        raise ProblemError(
            FailureCode.INVALID_REQUEST, f'expected {{"requests": [...]}} with an array, found {what}'
        )
    if not 0 < len(rows) <= most_rows:
        raise ProblemError(
            FailureCode.INVALID_REQUEST, f"expected 1 to {most_rows} requests in a batch, found {len(rows)}"
        )
    return [_read_row(row, most_features, ids) for row in rows]


def _read_row(row: JsonValue, most_features: int, ids: Ids) -> PredictionRequested | Problem:
    too_many = _too_many_features(row, most_features)
    if too_many is not None:
        return problem(FailureCode.INVALID_REQUEST, too_many, _said_id(row))
    try:
        asked = PredictionRequested.from_json(to_json(row))
    except ValidationError as error:
        return problem(
            FailureCode.INVALID_REQUEST, describe(error, marks(PredictionRequested)), _said_id(row)
        )
    return _identified(asked, ids, explain=False)


def _parse(body: bytes) -> JsonValue:
    try:
        return cast("JsonValue", from_json(body, allow_inf_nan=False))
    except ValueError as error:
        raise ProblemError(
            FailureCode.INVALID_REQUEST, f"expected JSON, found {len(body)} bytes that are none: {error}"
        ) from None


def _identified(asked: PredictionRequested, ids: Ids, *, explain: bool) -> PredictionRequested:
    """With a request_id; the attempt is the bus's own business."""
    update = {"request_id": asked.request_id or ids(), "attempt": 1, "explain": explain}
    return asked.model_copy(update=update)


def _too_many_features(row: JsonValue, most: int) -> str | None:
    """Told before the row is validated: an error for each of 100,000 features takes a second to word."""
    features = row.get("features") if isinstance(row, dict) else None
    if not isinstance(features, dict) or len(features) <= most:
        return None
    return f"features: expected at most {most}, found {len(features)}"


def _said_id(row: JsonValue) -> str | None:
    said = row.get("request_id") if isinstance(row, dict) else None
    return said[:256] if isinstance(said, str) and said else None
