"""What a record says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

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
