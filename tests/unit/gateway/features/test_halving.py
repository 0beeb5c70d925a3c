"""A read that fails is halved: who makes it fail is told from a store that is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_bus.verdicts import DeadLetter, Emit, Park
from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.features.halving import Unanswered, read_halved
from ekiben_serving.features.errors import (
    FeatureStoreBusyError,
    FeatureStoreError,
    FeatureStoreSilentError,
    UnknownFeatureServiceError,
)
from ekiben_serving.features.looking_up import Entity, Found
from unit.gateway.building import FakeRoutes, Gateway, model, only, received
from unit.gateway.features.stores import flights_store, lanes


@dataclass
class Choking:
    """A store whose reads fail where a poison is among the entities."""

    poison: set[str]
    error: FeatureStoreError = field(default_factory=lambda: FeatureStoreError("choked"))
    reads: list[int] = field(default_factory=list)

    async def read(self, entities: Sequence[Entity]) -> list[Found]:
        self.reads.append(len(entities))
        if any(entity.entity_id in self.poison for entity in entities):
            raise self.error
        return [Found({"name": entity.entity_id}, {}) for entity in entities]


def entities(count: int) -> list[Entity]:
    return [Entity(str(n), {}, frozenset()) for n in range(count)]


@given(st.integers(2, 1024), st.data())
async def test_one_that_fails_alone_costs_no_neighbour(count, data):
    poison = data.draw(st.integers(0, count - 1))
    choking = Choking({str(poison)})
    found = await read_halved(choking.read, entities(count))
    assert found == [
        Unanswered("choked", True) if n == poison else Found({"name": str(n)}, {}) for n in range(count)
    ]
    assert len(choking.reads) <= 2 * count.bit_length() + 2


async def test_a_store_that_is_away_is_asked_no_oftener_than_halving_to_one_takes():
    choking = Choking({str(n) for n in range(1024)})
    with pytest.raises(FeatureStoreError, match="choked"):
        await read_halved(choking.read, entities(1024))
    assert len(choking.reads) == 12


async def test_one_that_fails_once_is_answered_the_second_time():
    choking = Choking({"0"})

    async def read(asked: Sequence[Entity]) -> list[Found]:
        if choking.reads == [2, 1, 1]:
            choking.poison.clear()
        return await choking.read(asked)

    assert await read_halved(read, entities(2)) == [Found({"name": str(n)}, {}) for n in range(2)]
    assert choking.reads == [2, 1, 1, 1]


@pytest.mark.parametrize(
    "error",
    [
        FeatureStoreSilentError("hangs"),
        FeatureStoreBusyError("busy"),
        UnknownFeatureServiceError("flights", "the store", []),
    ],
)
async def test_what_has_nothing_to_do_with_whom_is_asked_about_is_not_halved(error):
    choking = Choking({"0"}, error)
    with pytest.raises(type(error)):
        await read_halved(choking.read, entities(4))
    assert choking.reads == [4]


async def test_neighbours_of_an_entity_that_the_store_chokes_on_are_answered_where_there_is_time(monkeypatch):
    store, gateway = flights_store(), Gateway(FakeRoutes.of(model("delay", feature_service="flights")))
    whole = store.read

    def read(service, keys):
        if "UA2" in keys["entity"]:
            raise FeatureStoreError("choked on UA2")
        return whole(service, keys)

    monkeypatch.setattr(store, "read", read)
    batch = [received(n, entity_id=who, features=None) for n, who in enumerate(("UA1", "UA2", "UA1"))]
    async with lanes(store) as found:
        gateway.fill = found.main
        assert {type(verdict) for verdict in await gateway.answer(*batch)} == {Park}
        gateway.fill = found.parked
        first, choked, last = await gateway.answer_parked(*batch)
        gateway.fill = found.main
        (next_one,) = await gateway.answer(batch[0])
    assert {type(one) for one in (first, last, next_one)} == {Emit}
    assert isinstance(choked, DeadLetter)
    failed = only(choked).event
    assert (failed.code, failed.retryable) == (FailureCode.MODEL_UNAVAILABLE, True)
    assert "choked on UA2. It was asked about this entity alone, and answered about others" in failed.message
