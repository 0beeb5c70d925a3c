"""What becomes of requests that bring no features, or too few, where their route has a feature service."""

from __future__ import annotations

import threading
import time

import pytest

from ekiben_bus.verdicts import DeadLetter, Emit, Park
from ekiben_contracts.lean import SCORED
from ekiben_contracts.prediction import FailureCode
from ekiben_contracts.topics import MODEL_OUTPUTS
from ekiben_serving.features.errors import FeatureStoreError
from ekiben_serving.features.fake_store import FakeFeatureStore
from ekiben_serving.features.store import Service, View
from unit.gateway.building import FEATURES, FakeRoutes, Gateway, ensemble, model, only, received
from unit.gateway.features.stores import KNOWN, flights_store, lanes

AWAY = FeatureStoreError("the store is away")


@pytest.fixture
def store():
    return flights_store()


@pytest.fixture
def gateway():
    return Gateway(
        FakeRoutes.of(
            model("delay", feature_service="flights"),
            model("weather"),
            ensemble("both", ["delay", "weather"]),
            model("twin", feature_service="flights"),
            ensemble("twins", ["delay", "twin"]),
        )
    )


def features_of(verdict) -> dict[str, object]:
    """What a scored event carries on."""
    assert isinstance(verdict, Emit), verdict
    assert only(verdict).topic is MODEL_OUTPUTS
    event = only(verdict).event
    assert isinstance(event, SCORED)
    return event.features


def refused(verdict) -> str:
    """The message of a request that lacks features."""
    assert isinstance(verdict, DeadLetter), verdict
    assert verdict.reason == "missing-features"
    failed = only(verdict).event
    assert failed.code is FailureCode.MISSING_FEATURES
    return failed.message


async def test_all_that_a_batch_lacks_is_one_read_and_travels_on(gateway, store):
    async with lanes(store) as found:
        gateway.fill = found.main
        verdicts = await gateway.answer(
            received(0, features=None), received(1, features={}), received(2, features={"distance": 400})
        )
    assert [features_of(verdict) for verdict in verdicts] == [
        {**KNOWN, "seats": 149.0},
        {**KNOWN, "seats": 149.0},
        {**KNOWN, "seats": 149.0, "distance": 400},
    ]
    assert store.reads == [("flights", 3)]
    (rows,) = gateway.models.client("delay").calls
    assert [row["distance"] for row in rows] == [1400.0, 1400.0, 400]


async def test_a_null_that_a_request_brings_wins_over_the_store(gateway, store):
    async with lanes(store) as found:
        gateway.fill = found.main
        (verdict,) = await gateway.answer(received(features={**FEATURES, "seats": None}))
    assert features_of(verdict) == {**FEATURES, "seats": None}
    assert store.reads == []


async def test_a_complete_request_and_a_model_without_a_feature_service_never_ask_the_store(gateway, store):
    store.failure = AWAY
    complete = {**FEATURES, "seats": 1}
    async with lanes(store) as found:
        gateway.fill = found.main
        verdicts = await gateway.answer(received(0, features=complete), received(1, model="weather"))
    assert [features_of(verdict) for verdict in verdicts] == [complete, FEATURES]


async def test_null_features_of_a_model_without_a_feature_service_are_missing(gateway, store):
    async with lanes(store) as found:
        gateway.fill = found.main
        (verdict,) = await gateway.answer(received(model="weather", features=None))
    assert "no feature service in its route" in refused(verdict)


async def test_members_of_an_ensemble_with_one_service_are_one_read(gateway, store):
    async with lanes(store) as found:
        gateway.fill = found.main
        (verdict,) = await gateway.answer(received(model="twins", features=None))
    assert features_of(verdict) == {**KNOWN, "seats": 149.0}
    assert store.reads == [("flights", 1)]


async def test_an_entity_that_the_store_has_never_seen_is_refused_by_name_and_costs_no_neighbour(
    gateway, store
):
    async with lanes(store) as found:
        gateway.fill = found.main
        unseen, good = await gateway.answer(
            received(0, entity_id="nobody", features=None), received(1, features=None)
        )
    message = refused(unseen)
    assert "expected the features carrier, distance, seats of delay" in message
    assert "routes has never seen entity 'nobody'" in message
    assert "ask again under a new request_id" in message
    assert features_of(good) == {**KNOWN, "seats": 149.0}


async def test_a_stale_feature_is_refused_although_the_store_has_it(gateway, store):
    async with lanes(store) as found:
        gateway.fill = found.main
        (verdict,) = await gateway.answer(received(entity_id="OLD", features=None))
    message = refused(verdict)
    assert "the features carrier, distance of delay" in message
    assert "is 3660 s old, and may be 3600 s" in message


async def test_an_optional_feature_that_was_never_written_is_refused_too(gateway, store):
    async with lanes(store) as found:
        gateway.fill = found.main
        unseen, brought = await gateway.answer(
            received(0, entity_id="UA2", features=None),
            received(1, entity_id="UA2", features={"seats": None}),
        )
    assert "planes has never seen entity 'UA2'" in refused(unseen)
    assert features_of(brought) == {**KNOWN, "seats": None}


async def test_a_request_that_names_no_entity_of_the_store_does_without_what_its_model_can(store):
    gateway = Gateway(FakeRoutes.of(model("delay", feature_service="keyed")))
    async with lanes(store) as found:
        gateway.fill = found.main
        bare, some, named = await gateway.answer(
            received(0, features=None), received(1), received(2, entity_id="UA1/monday")
        )
    message = refused(bare)
    assert "the features carrier, distance of delay" in message
    assert "neither the features nor the entity_id of the request tell entity" in message
    assert features_of(some) == FEATURES
    assert features_of(named) == {**FEATURES, "seats": 149.0}


async def test_requests_wait_aside_while_the_store_is_away_and_others_go_on(gateway, store):
    store.failure = AWAY
    async with lanes(store) as found:
        gateway.fill = found.main
        waiting, good = await gateway.answer(received(0, features=None), received(1, model="weather"))
        assert waiting == Park("feature-service/flights at flights", "the store is away")
        assert features_of(good) == FEATURES
        store.failure = None
        (left_alone,) = await gateway.answer(received(0, features=None))
        assert isinstance(left_alone, Park)  # the main flow does not ask again so soon
        gateway.fill = found.parked
        (answered,) = await gateway.answer_parked(received(0, features=None))
        assert features_of(answered) == {**KNOWN, "seats": 149.0}
        gateway.fill = found.main
        (again,) = await gateway.answer(received(0, features=None))
        assert features_of(again) == {**KNOWN, "seats": 149.0}


async def test_what_waited_for_too_long_is_a_dead_letter_to_replay(gateway, store):
    store.failure = AWAY
    async with lanes(store, outage_patience_s=0.0) as found:
        gateway.fill = found.main
        (verdict,) = await gateway.answer(received(features=None))
    assert isinstance(verdict, DeadLetter)
    failed = only(verdict).event
    assert (failed.code, failed.retryable) == (FailureCode.MODEL_UNAVAILABLE, True)
    assert "Ask again once the feature store answers" in failed.message


async def test_a_store_that_hangs_is_waited_for_once_and_nothing_piles_up_behind_it(gateway, store):
    hanging = threading.Event()
    store.pause = hanging.wait
    try:
        async with lanes(store, timeout_s=0.05, probe_after_s=0.0) as found:
            gateway.fill = found.main
            (first,) = await gateway.answer(received(0, features=None))
            (second,) = await gateway.answer(received(1, features=None))
            assert isinstance(first, Park)
            assert "within 0.05 s, found no answer" in first.reason
            assert isinstance(second, Park)
            assert "an earlier call that hangs" in second.reason
            assert store.reads == [("flights", 1)]
            hanging.set()
            while store.reads == [("flights", 1)]:
                (third,) = await gateway.answer(received(2, features=None))
            assert features_of(third) == {**KNOWN, "seats": 149.0}
    finally:
        hanging.set()


async def test_a_read_holds_no_more_entities_than_it_may(gateway, store):
    async with lanes(store, rows_per_read=2) as found:
        gateway.fill = found.main
        verdicts = await gateway.answer(*[received(n, features=None) for n in range(5)])
    assert len([features_of(verdict) for verdict in verdicts]) == 5
    assert store.reads == [("flights", 2), ("flights", 2), ("flights", 1)]


async def test_reads_entities_and_what_they_lack_are_counted(gateway, store):
    async with lanes(store, gateway.registry) as found:
        gateway.fill = found.main
        await gateway.answer(*[received(n, entity_id=e, features=None) for n, e in enumerate(("OLD", "x"))])
        store.failure = AWAY
        await gateway.answer(received(2, features=None))
    answered = {"service": "flights", "outcome": "answered"}
    assert gateway.count("ekiben_feature_read_seconds_count", **answered) == 1
    assert gateway.count("ekiben_feature_entities_total", **answered) == 2
    assert gateway.count("ekiben_feature_entities_total", service="flights", outcome="away") == 1
    assert gateway.count("ekiben_feature_lacking_total", service="flights", why="stale") == 2
    assert gateway.count("ekiben_feature_lacking_total", service="flights", why="unseen") == 3


async def test_a_value_that_its_model_does_not_take_is_missing_and_not_the_request_s_fault(gateway, store):
    store.write("routes", ("ODD",), {"distance": "far", "carrier": "UA"}, time.time())
    store.write("planes", ("ODD",), {"seats": None}, 0.0)
    async with lanes(store, gateway.registry) as found:
        gateway.fill = found.main
        (verdict,) = await gateway.answer(received(entity_id="ODD", features=None))
    message = refused(verdict)
    assert "expected the features distance of delay" in message
    assert "routes has as distance of entity 'ODD' is unfit: expected a finite number, found 'far'" in message
    assert gateway.count("ekiben_feature_lacking_total", service="flights", why="unfit") == 1


async def test_the_first_member_s_service_gives_a_feature_whoever_asks_beside():
    services = [
        Service(name, (View(f"of_{name}", ("entity",), ("distance", "carrier", "seats")),), {"entity": str})
        for name in ("x", "y")
    ]
    store = FakeFeatureStore(*services)
    for name, distance in (("x", 100.0), ("y", 3900.0)):
        store.write(f"of_{name}", ("UA1",), {**KNOWN, "distance": distance, "seats": 1.0}, 0.0)
    gateway = Gateway(
        FakeRoutes.of(
            model("delay", feature_service="x"),
            model("weather", feature_service="y"),
            ensemble("both", ["delay", "weather"]),
        )
    )
    async with lanes(store) as found:
        gateway.fill = found.main
        other, both = await gateway.answer(
            received(0, model="weather", features=None), received(1, model="both", features=None)
        )
    assert (features_of(other)["distance"], features_of(both)["distance"]) == (3900.0, 100.0)


async def test_a_bug_in_the_store_s_adapter_is_raised_and_the_next_read_works(gateway, store):
    store.pause = lambda: 1 / 0
    async with lanes(store) as found:
        gateway.fill = found.main
        with pytest.raises(ZeroDivisionError):
            await gateway.answer(received(features=None))
        store.pause = lambda: None
        (verdict,) = await gateway.answer(received(features=None))
    assert features_of(verdict) == {**KNOWN, "seats": 149.0}
