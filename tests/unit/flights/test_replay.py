from __future__ import annotations

import re

import pytest

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.models import DType
from ekiben_contracts.prediction import PredictionRequested
from ekiben_flights.data import Year
from ekiben_flights.features import SIGNATURE
from ekiben_flights.replay import chosen, replay

COUNT = 3_000
TYPES: dict[DType, type] = {DType.STRING: str, DType.LONG: int, DType.DOUBLE: float}


@pytest.fixture(scope="module")
def requests(year: Year) -> list[PredictionRequested]:
    return [request for request, _ in replay(year, COUNT, "flight-delay")]


def test_a_replay_is_the_same_each_time(year: Year, requests: list[PredictionRequested]) -> None:
    assert requests == [request for request, _ in replay(year, COUNT, "flight-delay")]


def test_ids_say_which_flight_it_is_and_are_unique(requests: list[PredictionRequested]) -> None:
    ids = [request.request_id or "" for request in requests]

    assert ids[0] == "2013-09-01-UA-1545-EWR"
    assert all(re.fullmatch(r"2013-(09|1[012])-\d\d-\w\w-\d{1,4}-(EWR|JFK|LGA)", one) for one in ids)
    assert len(set(ids)) == COUNT


def test_a_second_replay_has_ids_of_its_own(year: Year, requests: list[PredictionRequested]) -> None:
    again = [request.request_id for request, _ in replay(year, COUNT, "flight-delay", run="2")]

    assert again == [f"{request.request_id}@2" for request in requests]


def test_the_requests_are_in_order_and_spread_over_four_months(year: Year) -> None:
    flights = chosen(year, COUNT)

    assert flights["scheduled_at"].is_monotonic_increasing
    by_month = flights["local_at"].dt.month.value_counts()
    assert set(by_month.index) == {9, 10, 11, 12}
    assert by_month.min() > 0.8 * COUNT / 4


def test_each_request_has_the_outcome_of_its_flight(year: Year) -> None:
    flights = chosen(year, 200)
    outcomes = [outcome for _, outcome in replay(year, 200, "flight-delay")]

    expected = ["late" if delay > 15 else "in_time" for delay in flights["arrival_delay"]]
    assert [outcome.outcome for outcome in outcomes] == expected
    assert [outcome.observed_at for outcome in outcomes] == flights["arrived_at"].tolist()


def test_features_have_the_types_of_the_signature(requests: list[PredictionRequested]) -> None:
    wrong: list[tuple[str, FeatureValue]] = []
    for request in requests:
        assert request.features is not None
        for spec in SIGNATURE:
            value = request.features[spec.name]
            if not (value is None and not spec.required) and type(value) is not TYPES[spec.dtype]:
                wrong.append((spec.name, value))
    assert not wrong


def test_a_request_says_nothing_of_its_outcome(requests: list[PredictionRequested]) -> None:
    assert requests[0].features is not None
    assert set(requests[0].features) == {spec.name for spec in SIGNATURE}


def test_what_goes_over_the_wire_is_what_was_meant(requests: list[PredictionRequested]) -> None:
    lines = [request.model_dump_json(exclude_defaults=True) for request in requests]

    assert [PredictionRequested.model_validate_json(line) for line in lines] == requests


@pytest.mark.parametrize("count", [0, 1_000_000])
def test_more_requests_than_flights_are_refused(year: Year, count: int) -> None:
    with pytest.raises(ValueError, match=r"expected 1 to \d+ requests, .*; found " + str(count)):
        chosen(year, count)
