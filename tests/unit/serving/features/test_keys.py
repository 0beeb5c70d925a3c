"""Which entity of a feature store a request is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_serving.features.errors import UnfitFeatureServiceError
from ekiben_serving.features.keys import keys_of
from ekiben_serving.features.store import Key, Service

ROUTE = "{carrier}/{number}-{origin}"


def service(entity_id: str | None = None, **join_keys: type[Key]) -> Service:
    return Service("flights", (), join_keys, entity_id)


def test_the_only_join_key_of_a_service_is_the_entity_id():
    assert keys_of(service(plane=str), "N14228", {}) == {"plane": "N14228"}
    assert keys_of(service(number=int), "-1545", {}) == {"number": -1545}


def test_of_several_join_keys_the_entity_id_is_none():
    assert keys_of(service(origin=str, dest=str), "EWR", {}) == {"origin": None, "dest": None}


def test_several_join_keys_stand_in_the_entity_id_as_the_service_writes_it():
    written = service(ROUTE, carrier=str, number=int, origin=str)
    assert keys_of(written, "UA/1545-EWR-2", {}) == {"carrier": "UA", "number": 1545, "origin": "EWR-2"}


@pytest.mark.parametrize("entity_id", ["UA", "UA/1545", "/1545-EWR", "UA/1545-", "UA-1545/EWR"])
def test_an_entity_id_that_is_written_otherwise_tells_nothing(entity_id):
    written = service(ROUTE, carrier=str, number=int, origin=str)
    assert set(keys_of(written, entity_id, {}).values()) == {None}


def test_a_feature_of_the_request_wins_over_its_entity_id_and_null_does_not():
    brought = {"carrier": "AA", "number": None, "distance": 3}
    written = service(ROUTE, carrier=str, number=int, origin=str)
    assert keys_of(written, "UA/1-EWR", brought) == {"carrier": "AA", "number": 1, "origin": "EWR"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *((value, str) for value in (7, True, 1.5, "\ud800")),
        *((value, int) for value in (True, 1.0, "x", "", "１", 2**63, -(2**63), "9" * 19)),
    ],
)
def test_a_value_that_is_no_key_is_as_good_as_none(value, kind):
    assert keys_of(service(a=kind, b=kind), "entity", {"a": value, "b": None}) == {"a": None, "b": None}


@pytest.mark.parametrize(
    "template", ["", "plain", "{a}{b}", "{a}-{a}", "{c}-{a}", "{a", "{a}-{}", "{a.b}-{b}", "{a}-{b}}"]
)
def test_a_way_of_writing_that_cannot_be_read_back_is_refused(template):
    with pytest.raises(UnfitFeatureServiceError, match="join keys a, b"):
        keys_of(service(template, a=str, b=str), "1-2", {})


@given(
    st.lists(
        st.text(st.characters(exclude_characters="-", codec="utf-8"), min_size=1), min_size=3, max_size=3
    )
)
def test_keys_that_were_written_are_read_back(values):
    written = service("{a}-{b}-{c}", a=str, b=str, c=str)
    assert list(keys_of(written, "-".join(values), {}).values()) == values
