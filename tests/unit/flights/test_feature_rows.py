"""What the feature store holds of the flights is what was known when each question was asked."""

from __future__ import annotations

import pandas as pd
import pytest

from ekiben_flights.feature_rows import ENTITY_ID, VIEWS, entity_ids, view_rows
from ekiben_flights.features import SIGNATURE, features
from ekiben_flights.replay import chosen, replay
from ekiben_serving.features.keys import keys_of
from ekiben_serving.features.store import Service

NOW = pd.Timestamp("2026-03-01", tz="UTC").to_pydatetime()
KEYS = {key: str for plan in VIEWS.values() for key in plan.keys}


@pytest.fixture(scope="module")
def flights(year):
    return chosen(year, 5_000)


def test_every_feature_that_is_no_key_is_in_one_view():
    held = [name for plan in VIEWS.values() for name in plan.features]
    assert len(set(held)) == len(held)
    assert {*held, *KEYS} >= {spec.name for spec in SIGNATURE}


def test_what_the_views_say_of_a_departure_is_what_a_request_brings(flights, year):
    views = view_rows(flights, year, NOW)
    brought = features(flights, year)
    keys = pd.DataFrame([keys_of(Service("", (), KEYS, ENTITY_ID), each, {}) for each in entity_ids(flights)])
    for name, plan in VIEWS.items():
        assert not views[name].duplicated(list(plan.keys)).any()
        found = keys.merge(views[name], how="left", on=list(plan.keys), validate="many_to_one")
        expected = brought[list(plan.features)].reset_index(drop=True)
        pd.testing.assert_frame_equal(found[list(plan.features)], expected, check_dtype=False)
    for name in set(KEYS) & set(brought):
        assert list(keys[name]) == list(brought[name])


def test_a_replay_by_departure_names_what_the_store_knows(flights, year):
    requests = [request for request, _ in replay(year, 50, "flight-delay", by_departure=True)]
    numbers = [request for request, _ in replay(year, 50, "flight-delay")]
    assert requests[0].entity_id.startswith("UA-1545-EWR-")
    assert [one.request_id for one in requests] == [one.request_id for one in numbers]
    assert [one.features for one in requests] == [one.features for one in numbers]
    assert numbers[0].entity_id == "UA-1545"
