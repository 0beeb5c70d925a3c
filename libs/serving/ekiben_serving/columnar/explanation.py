"""What moved the answers to a frame of columns, as a frame: an attribution for each row and feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from ekiben_serving.columnar.answer import MOST_CLASSES, NOT_FINITE, read_errors, written_errors
from ekiben_serving.columnar.columns import MOST_COLUMNS
from ekiben_serving.columnar.frames import Array, ColumnarError, brief, field, pack, texts, unpack

EXPLANATION_TYPE: Final = "application/vnd.ekiben.explanation.v1"
BUDGET_HEADER: Final = "x-ekiben-budget-ms"
"""How long the caller waits: what is not explained by then has an error, and the rest is not lost."""
_MAGIC: Final = b"EKX1"


class Explained(NamedTuple):
    """Row by row: `values`, what they are expected to be, and `attributions` (rows by features).

    The attributions of a row and its `expected` add up to its value. All are NaN where `errors`,
    {row: (code, message)}, has the row. `labels` are the indices of the classes that they are about.
    """

    model: str
    version: str
    features: Sequence[str]
    values: Array
    expected: Array
    attributions: Array
    errors: Mapping[int, tuple[str, str]] = MappingProxyType({})
    classes: Sequence[str] = ()
    labels: Array | None = None


def encode_explanation(explained: Explained) -> bytes:
    """Its frame."""
    labelled = explained.labels is not None
    header = {
        "rows": len(explained.values),
        "model": explained.model,
        "version": explained.version,
        "features": list(explained.features),
        "classes": list(explained.classes) if labelled else [],
        "errors": written_errors(explained.errors),
    }
    numbers = (explained.values, explained.expected, explained.attributions)
    buffers = [np.asarray(each, "<f8") for each in numbers]
    if labelled:
        buffers.append(np.asarray(explained.labels, "<i4"))
    return pack(_MAGIC, header, buffers)


def decode_explanation(body: bytes, rows: int) -> Explained:
    """The explanation of `rows` rows: each has an error, or finite numbers. Others are given an error.

    Raises:
        CutOffError: the end of the frame is missing.
        ColumnarError: it is no frame, does not hold what it says, or explains another number of rows.
    """
    header, buffers = unpack(_MAGIC, body)
    if (found := field(header, "rows", int)) != rows:
        raise ColumnarError(f"expected explanations of {rows} rows, found {brief(found)}")
    features = texts("features", field(header, "features", list), MOST_COLUMNS)
    classes = texts("classes", field(header, "classes", list), MOST_CLASSES)
    explained = Explained(
        model=field(header, "model", str),
        version=field(header, "version", str),
        features=features,
        values=buffers.take("<f8", rows),
        expected=buffers.take("<f8", rows),
        attributions=buffers.take("<f8", rows * len(features)).reshape(rows, len(features)),
        errors=read_errors(header, rows),
        classes=classes,
        labels=buffers.take("<i4", rows) if classes else None,
    )
    buffers.finish()
    return _check_rows(explained)


def _check_rows(explained: Explained) -> Explained:
    """With an error for each row that has no finite numbers."""
    answered = np.ones(len(explained.values), bool)
    answered[list(explained.errors)] = False
    if explained.labels is not None:
        wrong = (explained.labels < 0) | (explained.labels >= len(explained.classes))
        if (wrong & answered).any():
            raise ColumnarError(f"expected labels from 0 to {len(explained.classes) - 1}, found others")
    finite = np.isfinite(explained.values) & np.isfinite(explained.expected)
    finite &= np.isfinite(explained.attributions).all(axis=1)
    broken = {int(row): NOT_FINITE for row in np.flatnonzero(answered & ~finite)}
    return explained._replace(errors={**explained.errors, **broken}) if broken else explained
