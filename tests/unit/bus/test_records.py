"""What a record says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ekiben_bus.lanes import MovedRecord
from ekiben_bus.memory import StoredRecord
from ekiben_bus.records import Received
from ekiben_contracts.prediction import PredictionRequested


def recorded_at(timestamp: int) -> datetime:
    event = PredictionRequested(model="delay", entity_id="UA1")
    return Received(event, StoredRecord("t", 0, 0, timestamp, None, b"{}", ()), "id").recorded_at


def test_a_timestamp_is_in_milliseconds() -> None:
    assert recorded_at(1_500) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", [-(2**63), -1, 2**63 - 1, 10**17])
def test_a_timestamp_of_no_year_is_the_nearest_that_is(timestamp: int) -> None:
    assert 1970 <= recorded_at(timestamp).year <= 9999


def test_the_bytes_of_a_record_are_in_no_repr() -> None:
    secret = b"wears a wig"
    moved = MovedRecord("t", 0, 0, 7, secret, secret, [("x", secret)], 2)
    event = PredictionRequested(model="delay", entity_id="UA1")
    received = Received(event, StoredRecord("t", 0, 0, 7, None, secret, ()), "g")
    assert "wig" not in f"{moved!r} {received!r}"
    assert "t/g/0/0/1" in repr(received)
