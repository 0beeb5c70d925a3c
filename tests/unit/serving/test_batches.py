"""Bad rows are set apart, and bodies stay within their bounds."""

from __future__ import annotations

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.batches import batches_of
from ekiben_serving.columnar import decode_columns
from ekiben_serving.model_client import Features, ModelOutput
from ekiben_serving.validation import Signature

SIGNATURE = Signature([FeatureSpec(name="a", dtype=DType.LONG), FeatureSpec(name="s", dtype=DType.STRING)])
PLENTY = 10**9


def _row(number: FeatureValue, text: str = "") -> Features:
    return {"a": number, "s": text}


def _numbers(body: bytes | None) -> list[int]:
    return [] if body is None else decode_columns(body)["a"].values.tolist()


def test_rows_that_do_not_fit_are_set_apart_and_put_back_in_their_places() -> None:
    rows = [_row("x"), _row(1), _row(None), _row(3), _row(True)]
    (batch,) = batches_of(rows, SIGNATURE, 10, PLENTY)

    assert _numbers(batch.body) == [1, 3]
    merged = batch.merge([ModelOutput("m", "1", float(value)) for value in _numbers(batch.body)])
    assert [one.value if isinstance(one, ModelOutput) else one.code for one in merged] == [
        "invalid_request",
        1.0,
        "missing_features",
        3.0,
        "invalid_request",
    ]


def test_where_no_row_fits_there_is_nothing_to_send() -> None:
    (batch,) = batches_of([_row("x"), _row(None)], SIGNATURE, 10, PLENTY)

    assert batch.body is None
    assert len(batch.merge([])) == 2


def test_a_batch_has_at_most_so_many_rows() -> None:
    batches = list(batches_of([_row(number) for number in range(7)], SIGNATURE, 3, PLENTY))

    assert [_numbers(batch.body) for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_body_that_is_too_large_is_halved_until_it_fits() -> None:
    rows = [_row(number, str(number) * 1000) for number in range(5)]
    batches = list(batches_of(rows, SIGNATURE, 10, 2500))

    assert [number for batch in batches for number in _numbers(batch.body)] == [0, 1, 2, 3, 4]
    assert all(batch.body is not None and len(batch.body) <= 2500 for batch in batches)


def test_a_single_row_larger_than_that_is_sent_alone() -> None:
    rows = [_row(0), _row(1, "x" * 5000), _row(2)]
    batches = list(batches_of(rows, SIGNATURE, 10, 2500))

    assert [_numbers(batch.body) for batch in batches] == [[0], [1], [2]]


def test_no_rows_are_no_batches() -> None:
    assert list(batches_of([], SIGNATURE, 10, PLENTY)) == []
