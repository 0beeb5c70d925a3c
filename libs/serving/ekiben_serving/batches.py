"""From rows to bodies: bad rows set apart, the others encoded, as many to a body as may be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ekiben_serving.columnar import ColumnarError, encode_rows
from ekiben_serving.model_client import Features
from ekiben_serving.validation import RowError, Signature

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one call: the body of those that fit (None where none does), the errors of the others."""

    body: bytes | None
    size: int
    errors: Mapping[int, RowError]

    def merge(self, answers: Sequence[T | RowError]) -> list[T | RowError]:
        """The answers and the errors, in the order of the rows."""
        merged = list(answers)
        for row in sorted(self.errors):
            merged.insert(row, self.errors[row])
        return merged


def batches_of(
    rows: Sequence[Features], signature: Signature, most_rows: int, most_bytes: int
) -> Iterator[Batch]:
    """The rows in order, in batches of at most `most_rows` whose bodies have at most `most_bytes`.

    A single row larger than that is sent alone.
    """
    for start in range(0, len(rows), most_rows):
        yield from _halved(rows[start : start + most_rows], signature, most_bytes)


def _halved(rows: Sequence[Features], signature: Signature, most_bytes: int) -> Iterator[Batch]:
    batch = _encode(rows, signature)
    if batch.body is None or len(batch.body) <= most_bytes or len(rows) == 1:
        yield batch
        return
    middle = len(rows) // 2
    yield from _halved(rows[:middle], signature, most_bytes)
    yield from _halved(rows[middle:], signature, most_bytes)


def _encode(rows: Sequence[Features], signature: Signature) -> Batch:
    """Encoding checks whole columns, so rows are looked at one by one only where it fails."""
    try:
        return Batch(encode_rows(rows, signature.specs), len(rows), {})
    except ColumnarError:
        checked = [signature.check(row) for row in rows]
    errors = {row: error for row, error in enumerate(checked) if error is not None}
    fitting = [row for row, error in zip(rows, checked, strict=True) if error is None]
    return Batch(encode_rows(fitting, signature.specs) if fitting else None, len(fitting), errors)
