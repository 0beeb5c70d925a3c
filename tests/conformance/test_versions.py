"""Records of another version than the service's own, on every cluster the bus runs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from conformance.test_bus import (
    GROUP,
    PARTITIONS,
    answer_all,
    graveyard,
    ids,
    publish,
    requests,
    results,
    running,
    side,
    topics,
)
from conformance.world import World
from ekiben_bus.deciding import dead_letter_alone
from ekiben_bus.publishing import WireRecord
from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import ServiceSettings
from ekiben_bus.verdicts import Emit, Failure, Outgoing, Verdict
from ekiben_contracts.cloudevents import encode
from ekiben_contracts.event import Event
from ekiben_contracts.identity import Stage, dead_letter_id, output_id
from ekiben_contracts.prediction import FailureCode, PredictionFailed, PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS, PREDICTION_RESULTS
from unit.evolution.second_version import REQUESTS_IN_HOURS, RequestedInHours
from unit.in_memory import running as serving

__all__ = ["topics"]  # a fixture

QUICK_RETRIES = (0.2, 0.3, 0.4)


def wire(event: Event, number: int, partition: int = 0) -> WireRecord:
    value, headers = encode(event, id=f"r{number}", source="/test", time=datetime(2026, 1, 1, tzinfo=UTC))
    return WireRecord("", partition, b"UA-1545", value, headers)


def of_the_next_release(number: int) -> WireRecord:
    return wire(RequestedInHours(request_id=f"r{number}", model="delay", entity_id="UA-1545"), number)


def of_this_release(number: int) -> WireRecord:
    return wire(PredictionRequested(request_id=f"r{number}", model="delay", entity_id="UA-1545"), number)


async def in_hours(batch: Sequence[Received]) -> Sequence[Verdict]:
    """A handler of the next release: it knows that version alone."""
    verdicts: list[Verdict] = []
    for received in batch:
        event = received.event
        assert event.type == RequestedInHours.type
        failed = PredictionFailed(
            attempt=received.attempt,
            request_id=event.request_id,
            model=event.model,
            entity_id=event.entity_id,
            code=FailureCode.INTERNAL,
            message=str(event.horizon_hours),
            retryable=False,
            failed_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        verdicts.append(
            Emit((Outgoing(PREDICTION_RESULTS, failed, output_id(failed.request_id, Stage.RESULT)),))
        )
    return verdicts


def upgraded(world: World) -> Service:
    service = world.service(
        GROUP, ServiceSettings(topic_prefix=world.prefix, retry_delays_s=QUICK_RETRIES, health_port=0)
    )
    service.consume(REQUESTS_IN_HOURS, in_hours)
    return service


async def test_a_record_of_the_next_release_delays_nobody_and_ends_as_a_dead_letter_byte_for_byte(
    world: World, topics: None
):
    newer = of_the_next_release(2)
    asked: list[Failure] = []

    def on_failure(failure: Failure) -> Verdict:
        asked.append(failure)
        return dead_letter_alone(failure)

    await publish(world, of_this_release(1), newer, of_this_release(3))
    async with running(world, answer_all, on_failure, retry_delays_s=QUICK_RETRIES):
        good = await world.read(results(world), PARTITIONS, 2)
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)

    assert ids(good) == ["r1/result/1", "r3/result/1"]
    assert (dead.key, dead.value, dead.partition) == (newer.key, newer.value, 0)
    assert [h for h in dead.headers if not h[0].startswith("dlq-")] == list(newer.headers)
    assert len(asked) == 1, "whoever sent it is told once, when nobody could read it to the end"
    told = dict(dead.headers)
    assert (told["dlq-reason"], told["dlq-error-class"]) == (b"unknown-version", b"NewerVersionError")
    assert b"upgrade this service, then `ekiben dlq replay" in told["dlq-error-message"]
    assert told["dlq-id"].decode() == dead_letter_id(requests(world), GROUP, 0, 1)
    for purpose in ("retry-5s", "retry-1m", "retry-10m"):
        assert len(await world.read(side(world, purpose), PARTITIONS, 1)) == 1


async def test_what_an_old_member_put_off_is_answered_by_an_upgraded_one(world: World, topics: None):
    await publish(world, of_the_next_release(1))
    async with running(world, answer_all, retry_delays_s=(600, 600, 600)):
        await world.read(side(world, "retry-5s"), PARTITIONS, 1)
    async with serving(upgraded(world)):
        assert ids(await world.read(results(world), PARTITIONS, 1)) == ["r1/result/1"]
    assert await world.read(graveyard(world), PARTITIONS, 0) == []


@pytest.mark.parametrize("version", ["v0", "v3", "v99"])
async def test_what_no_next_release_will_know_is_a_dead_letter_at_once(
    world: World, topics: None, version: str
):
    await publish(
        world,
        WireRecord("", 0, b"k", b"{}", [("ce_type", f"ekiben.prediction.requested.{version}".encode())]),
    )
    async with running(world, answer_all, retry_delays_s=(600, 600, 600)):
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)
    assert dict(dead.headers)["dlq-reason"] == b"unknown-version"


async def test_an_upgraded_service_answers_what_is_left_of_the_old_version(world: World, topics: None):
    bare = b'{"request_id": "r2", "model": "delay", "entity_id": "UA-1545", "time_horizon": "long_term"}'
    await publish(world, of_this_release(1), WireRecord("", 0, b"UA-1545", bare, []), of_the_next_release(3))
    async with serving(upgraded(world)):
        found = await world.read(results(world), PARTITIONS, 3)

    assert ids(found) == [f"r{n}/result/1" for n in (1, 2, 3)]
    assert [PredictionFailed.from_json(r.value or b"").message for r in found] == ["24", "720", "24"]
    assert {record.key for record in found} == {b"UA-1545"}


async def test_without_retry_topics_the_next_release_is_a_dead_letter_at_once(world: World, topics: None):
    newer = of_the_next_release(1)
    await publish(world, newer)
    service = world.service(GROUP, ServiceSettings(topic_prefix=world.prefix, health_port=0))
    service.consume(replace(PREDICTION_REQUESTS, retried_by=()), answer_all)
    async with serving(service):
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)

    assert (dead.key, dead.value) == (newer.key, newer.value)
    assert dict(dead.headers)["dlq-reason"] == b"unknown-version"
