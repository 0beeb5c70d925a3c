"""One read for all entities of a batch, and what each of them gets."""

from __future__ import annotations

import pytest

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.features.errors import FeatureStoreError, UnknownFeatureServiceError
from ekiben_serving.features.fake_store import FakeFeatureStore
from ekiben_serving.features.judging import Why
from ekiben_serving.features.looking_up import Entity, Found, look_up
from ekiben_serving.features.store import Column, Service, View

NOW = 1_000_000.0
ROUTES = View("routes", ("origin", "dest"), ("distance", "delay"), ttl_s=60.0)
PLANES = View("planes", ("tail",), ("seats",))
SERVICE = Service(
    "flights", (ROUTES, PLANES), {"origin": str, "dest": str, "tail": str}, "{origin}-{dest}-{tail}"
)
ALL = frozenset({"distance", "delay", "seats"})


@pytest.fixture
def store():
    store = FakeFeatureStore(SERVICE)
    store.write("routes", ("EWR", "IAH"), {"distance": 1400, "delay": None}, NOW - 10)
    store.write("routes", ("JFK", "LAX"), {"distance": 2475, "delay": 3.5}, NOW - 100)
    store.write("planes", ("N1",), {"seats": 149}, 0.0)
    return store


def entity(entity_id, wanted=ALL, **brought):
    return Entity(entity_id, brought, frozenset(wanted))


def test_all_entities_are_one_read_and_keep_their_order(store):
    found = look_up(store, "flights", [entity("EWR-IAH-N1"), entity("EWR-IAH-N1", ["seats"])], NOW)
    assert found == [
        Found({"distance": 1400, "delay": None, "seats": 149}, {}),
        Found({"seats": 149}, {}),
    ]
    assert store.reads == [("flights", 2)]


def test_what_is_stale_or_was_never_seen_is_lacking_feature_by_feature(store):
    (found,) = look_up(store, "flights", [entity("JFK-LAX-N2")], NOW)
    assert found.values == {}
    assert {name: lack.why for name, lack in found.lacking.items()} == {
        "distance": Why.STALE,
        "delay": Why.STALE,
        "seats": Why.UNSEEN,
    }


def test_nobody_lacks_what_they_did_not_want(store):
    (found,) = look_up(store, "flights", [entity("JFK-LAX-N1", ["seats"])], NOW)
    assert found == Found({"seats": 149}, {})


def test_a_key_that_is_not_needed_need_not_be_told(store):
    (found,) = look_up(store, "flights", [entity("who", ["seats"], tail="N1")], NOW)
    assert found == Found({"seats": 149}, {})


def test_an_entity_without_keys_costs_no_neighbour(store):
    nobody, good = look_up(store, "flights", [entity("who"), entity("EWR-IAH-N1")], NOW)
    assert {lack.why for lack in nobody.lacking.values()} == {Why.UNKEYED}
    assert nobody.lacking.keys() == ALL
    assert not good.lacking


def test_a_join_key_that_is_wanted_is_a_feature_too(store):
    known, unknown = look_up(store, "flights", [entity("EWR-IAH-N1", ["dest"]), entity("x", ["dest"])], NOW)
    assert known == Found({"dest": "IAH"}, {})
    assert unknown.lacking["dest"].why is Why.UNKEYED


def test_names_that_the_service_does_not_have_are_left_out(store):
    (found,) = look_up(store, "flights", [entity("EWR-IAH-N1", ["colour"])], NOW)
    assert found == Found({}, {})


def test_a_service_that_the_store_does_not_have_is_named_beside_those_it_has(store):
    with pytest.raises(
        UnknownFeatureServiceError, match=r"expected the feature service hotels .* found flights"
    ):
        look_up(store, "hotels", [entity("x")], NOW)


def test_a_key_of_the_wrong_type_is_told_with_what_was_found(store):
    (found,) = look_up(store, "flights", [entity("who", ["seats", "tail"], tail=7)], NOW)
    assert {lack.detail for lack in found.lacking.values()} == {
        "the request has no key for tail: expected a text, found 7"
    }


@pytest.mark.parametrize("value", [float("inf"), "many", True, None])
def test_what_the_columns_do_not_take_is_lacking_by_view_entity_and_value(store, value):
    store.write("planes", ("N1",), {"seats": value}, 0.0)
    specs = [FeatureSpec(name="seats", dtype=DType.DOUBLE)]
    (found,) = look_up(store, "flights", [Entity("EWR-IAH-N1", {}, ALL, specs)], NOW)
    assert found.values == {"distance": 1400, "delay": None}
    lack = found.lacking["seats"]
    assert lack.why is Why.UNFIT
    assert "what planes has as seats of tail 'N1' is unfit: expected a finite number, found" in lack.detail
    assert ("null" if value is None else repr(value)) in lack.detail


def test_a_join_key_is_not_judged_as_a_value_of_the_store(store):
    specs = [FeatureSpec(name="dest", dtype=DType.DOUBLE)]
    (found,) = look_up(store, "flights", [Entity("EWR-IAH-N1", {}, frozenset({"dest"}), specs)], NOW)
    assert found == Found({"dest": "IAH"}, {})


def test_a_null_that_the_columns_take_is_a_value(store):
    specs = [FeatureSpec(name="delay", dtype=DType.DOUBLE, required=False)]
    (found,) = look_up(store, "flights", [Entity("EWR-IAH-N1", {}, frozenset({"delay"}), specs)], NOW)
    assert found == Found({"delay": None}, {})


@pytest.mark.parametrize(
    "seats", [Column([149], [0.0]), Column([149, 1], [0.0]), Column([149, 1, 2], [0.0] * 3), None]
)
def test_an_answer_that_is_not_whole_is_outside_trouble(store, monkeypatch, seats):
    whole = store.read

    def read(service, keys):
        columns = {**whole(service, keys), "seats": seats}
        return {name: column for name, column in columns.items() if column is not None}

    monkeypatch.setattr(store, "read", read)
    with pytest.raises(FeatureStoreError, match="expected seats of 2 entities from flights, found"):
        look_up(store, "flights", [entity("EWR-IAH-N1")] * 2, NOW)
