"""Where a group stands, and what that means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben.groups.readers import readers
from ekiben.groups.standing import Standing, with_gaps
from ekiben_bus.naming import Naming
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS


def standing(committed, start=10, end=20, partition=0):
    return Standing("g", "t", partition, committed, start, end)


@pytest.mark.parametrize(
    ("committed", "lag", "deleted_unread", "lost_behind"),
    [(15, 5, 0, 0), (20, 0, 0, 0), (10, 10, 0, 0), (None, 10, 0, 0), (7, 10, 3, 0), (23, 0, 0, 3)],
)
def test_lag_is_what_can_be_read_and_a_gap_what_cannot(committed, lag, deleted_unread, lost_behind):
    found = standing(committed)
    assert (found.lag, found.deleted_unread, found.lost_behind) == (lag, deleted_unread, lost_behind)
    assert found.has_gap is bool(deleted_unread or lost_behind)


@given(st.none() | st.integers(0, 100), st.integers(0, 50), st.integers(0, 50))
def test_what_is_read_next_is_in_the_log_and_the_lag_what_is_left_of_it(committed, start, length):
    found = standing(committed, start, start + length)
    assert found.start <= found.next <= found.end
    assert 0 <= found.lag <= length


def test_skipping_says_what_is_given_up():
    assert "from offset 7 to 10: 3 records were deleted unread" in standing(7).skipping
    assert "10 records are read again" in standing(23).skipping


def test_only_partitions_with_a_gap_are_skipped():
    found = [standing(7, partition=0), standing(15, partition=1), standing(23, partition=2)]
    assert [gap.partition for gap in with_gaps(found)] == [0, 2]
    assert [gap.partition for gap in with_gaps(found, 2)] == [2]
    assert with_gaps(found, 1) == []


def test_a_service_reads_by_a_group_of_its_own_and_one_for_each_lane_beside():
    found = readers(Naming("staging."), PREDICTION_REQUESTS.name, GATEWAY)
    assert {reader.lane.name: reader.group for reader in found} == {
        "main": "staging.inference-gateway",
        "retry-5s": "staging.inference-gateway.retry-5s",
        "retry-1m": "staging.inference-gateway.retry-1m",
        "retry-10m": "staging.inference-gateway.retry-10m",
        "parked": "staging.inference-gateway.parked",
        "replay": "staging.inference-gateway.replay",
    }


@pytest.mark.parametrize("prefix", ["", "staging."])
def test_one_lane_is_named_by_its_own_topic_and_group_as_a_stopped_service_tells_them(prefix):
    parked = f"{prefix}ekiben.prediction-requests.inference-gateway.parked"
    (found,) = readers(Naming("staging."), parked, f"{prefix}inference-gateway.parked")
    assert found.lane.name == "parked"
