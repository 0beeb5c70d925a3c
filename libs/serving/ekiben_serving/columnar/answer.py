"""What a model answers to a frame of columns, as a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from ekiben_serving.columnar.frames import Array, ColumnarError, brief, field, pack, texts, unpack

ANSWER_TYPE: Final = "application/vnd.ekiben.answer.v1"
MOST_CLASSES: Final = 4_096
_MAGIC: Final = b"EKA1"
NOT_FINITE: Final = ("internal", "expected finite numbers of the model, found NaN or infinity")


class Answer(NamedTuple):
    """What a model answered, row by row.

    `values` is float64, and NaN where `errors`, {row: (code, message)}, has the row. A classifier's
    answer has `classes`, `labels` (the index of a class for each row) and `probabilities` (rows by
    classes). `intervals` (rows by low and high) are told in JSON alone: no frame holds them.
    """

    model: str
    version: str
    values: Array
    errors: Mapping[int, tuple[str, str]] = MappingProxyType({})
    classes: Sequence[str] = ()
    labels: Array | None = None
    probabilities: Array | None = None
    intervals: Array | None = None


def encode_answer(answer: Answer) -> bytes:
    """The frame of an answer."""
    scored = answer.labels is not None and answer.probabilities is not None
    header = {
        "rows": len(answer.values),
        "model": answer.model,
        "version": answer.version,
        "classes": list(answer.classes) if scored else [],
        "errors": written_errors(answer.errors),
    }
    buffers = [np.asarray(answer.values, "<f8")]
    if scored:
        buffers += [np.asarray(answer.labels, "<i4"), np.asarray(answer.probabilities, "<f8")]
    return pack(_MAGIC, header, buffers)


def written_errors(errors: Mapping[int, tuple[str, str]]) -> list[tuple[int, str, str]]:
    """As they stand in a header."""
    return [(row, code, message) for row, (code, message) in errors.items()]


def decode_answer(body: bytes, rows: int) -> Answer:
    """The answer to `rows` rows: each has an error, or finite numbers and one of the classes.

    A row with NaN or infinity and no error of its own is given one.

    Raises:
        CutOffError: the end of the frame is missing.
        ColumnarError: it is no frame, does not hold what it says, or answers another number of rows.
    """
    header, buffers = unpack(_MAGIC, body)
    if (found := field(header, "rows", int)) != rows:
        raise ColumnarError(f"expected answers to {rows} rows, found {brief(found)}")
    classes = texts("classes", field(header, "classes", list), MOST_CLASSES)
    answer = Answer(
        model=field(header, "model", str),
        version=field(header, "version", str),
        values=buffers.take("<f8", rows),
        errors=read_errors(header, rows),
        classes=classes,
        labels=buffers.take("<i4", rows) if classes else None,
        probabilities=buffers.take("<f8", rows * len(classes)).reshape(rows, -1) if classes else None,
    )
    buffers.finish()
    return _check_rows(answer)


def read_errors(header: Mapping[str, Any], rows: int) -> dict[int, tuple[str, str]]:
    """The errors of single rows: {row: (code, message)}."""
    return dict(_read_error(entry, rows) for entry in field(header, "errors", list))


def _read_error(entry: object, rows: int) -> tuple[int, tuple[str, str]]:
    match entry:
        case [int(row), str(code), str(message)] if 0 <= row < rows and row is not True:
            return row, (code, message)
        case _:
            raise ColumnarError(
                f"expected [row, code, message] with a row below {rows}, found {brief(entry)}"
            )


def _check_rows(answer: Answer) -> Answer:
    """The answer with an error for each row that has no finite numbers; such a row costs no other."""
    answered = np.ones(len(answer.values), bool)
    answered[list(answer.errors)] = False
    finite = np.isfinite(answer.values)
    if answer.labels is not None and answer.probabilities is not None:
        finite &= np.isfinite(answer.probabilities).all(axis=1)
        wrong = (answer.labels < np.where(answered, 0, -1)) | (answer.labels >= len(answer.classes))
        if wrong.any():
            raise ColumnarError(f"expected labels from 0 to {len(answer.classes) - 1}, found others")
    if finite[answered].all():
        return answer
    broken = {int(row): NOT_FINITE for row in np.flatnonzero(answered & ~finite)}
    return answer._replace(errors={**answer.errors, **broken})
