"""Which entity of a feature store a request is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_serving.features.errors import UnfitFeatureServiceError
from ekiben_serving.features.keys import keys_of, untold
from ekiben_serving.features.store import Int32, Key, Service

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
        *((value, Int32) for value in (2**31, -(2**31), "3000000000")),
    ],
)
def test_a_value_that_is_no_key_is_as_good_as_none(value, kind):
    assert keys_of(service(a=kind, b=kind), "entity", {"a": value, "b": None}) == {"a": None, "b": None}


@pytest.mark.parametrize("largest", [2**63 - 1, 1445678901234567890, -(2**63) + 1])
def test_an_integer_of_64_bits_is_a_key_whole_in_an_entity_id(largest):
    assert keys_of(service(number=int), str(largest), {}) == {"number": largest}


def test_an_integer_of_32_bits_is_a_key_of_32_bits():
    assert keys_of(service(number=Int32), str(2**31 - 1), {}) == {"number": 2**31 - 1}


def test_a_separator_of_several_characters_is_one():
    assert keys_of(service("{a}--{b}", a=str, b=str), "x-y--z", {}) == {"a": "x-y", "b": "z"}


def test_a_key_that_is_brought_and_is_none_is_told_apart_from_one_that_nobody_tells():
    written, brought = service(number=int, small=Int32, origin=str), {"number": "abc", "small": 2**31}
    why = untold(written, keys_of(written, "x", brought), brought)
    assert why == {
        "number": "the request has no key for number: expected an integer within ±9223372036854775807, "
        "found 'abc'",
        "small": "the request has no key for small: expected an integer within ±2147483647, found 2147483648",
        "origin": "neither the features nor the entity_id of the request tell origin",
    }


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
