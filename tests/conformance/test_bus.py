"""What the bus promises, on every cluster it runs on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from conformance.world import World, until
from ekiben_bus.deciding import dead_letter_alone
from ekiben_bus.publishing import WireRecord
from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import ServiceSettings
from ekiben_bus.topics import TooFewPartitionsError
from ekiben_bus.verdicts import DeadLetter, Emit, Failure, Hold, OnFailure, Outgoing, Verdict
from ekiben_contracts.identity import Stage, dead_letter_id, output_id
from ekiben_contracts.lean import REQUESTED
from ekiben_contracts.prediction import FailureCode, PredictionFailed
from ekiben_contracts.routing import EnsembleDefined
from ekiben_contracts.topics import (
    GATEWAY,
    HEADROOM,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    RECORD_LIMIT,
    ROUTES,
    SHADOW_OUTPUTS,
    side_purposes,
)

PARTITIONS = 3
GROUP = GATEWAY


def requests(world: World) -> str:
    return world.prefix + PREDICTION_REQUESTS.name


def results(world: World) -> str:
    return world.prefix + PREDICTION_RESULTS.name


def side(world: World, purpose: str) -> str:
    return f"{requests(world)}.{GROUP}.{purpose}"


def graveyard(world: World) -> str:
    return side(world, "dlq")


@pytest.fixture
async def topics(world: World) -> None:
    for topic in (PREDICTION_REQUESTS, MODEL_OUTPUTS, PREDICTION_RESULTS, SHADOW_OUTPUTS):
        await world.topics.create(world.prefix + topic.name, PARTITIONS, topic.max_message_bytes)
    for purpose in side_purposes(PREDICTION_REQUESTS, GROUP):
        await world.topics.create(side(world, purpose), PARTITIONS, RECORD_LIMIT + HEADROOM)


def ask(number: int, *, partition: int | None = None, value: bytes | None = None) -> WireRecord:
    body = {
        "request_id": f"r{number}",
        "model": "delay",
        "entity_id": f"e{number % 7}",
        "features": {"x": number},
    }
    return WireRecord(
        "",
        number % PARTITIONS if partition is None else partition,
        f"e{number % 7}".encode(),
        json.dumps(body).encode() if value is None else value,
        [],
    )


async def publish(world: World, *records: WireRecord) -> None:
    await world.produce(
        *(WireRecord(requests(world), r.partition, r.key, r.value, r.headers) for r in records)
    )


def answer(received: Received) -> Outgoing:
    event = received.event
    assert isinstance(event, REQUESTED)
    failed = PredictionFailed(
        request_id=event.request_id or "?",
        model=event.model,
        entity_id=event.entity_id,
        code=FailureCode.INTERNAL,
        message="as the test wants it",
        retryable=False,
        failed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return Outgoing(PREDICTION_RESULTS, failed, output_id(failed.request_id, Stage.RESULT))


async def answer_all(batch: Sequence[Received]) -> Sequence[Verdict]:
    return [Emit((answer(received),)) for received in batch]


@asynccontextmanager
async def running(
    world: World,
    handler: Callable,
    on_failure: OnFailure = dead_letter_alone,
    settle: Callable[[Service], object] = lambda service: None,
    parked: Callable | None = None,
    **settings: object,
) -> AsyncIterator[Service]:
    defaults = {
        "topic_prefix": world.prefix,
        "backoff_s": 0.05,
        "longest_backoff_s": 0.2,
        "commit_interval_s": 0.05,
    }
    service = world.service(GROUP, ServiceSettings.model_validate({**defaults, **settings}))
    service.consume(PREDICTION_REQUESTS, handler, on_failure, parked=parked)
    settle(service)
    serving = asyncio.create_task(service.serve())
    try:
        yield service
    finally:
        service.stop()
        await serving


def ids(records: Sequence[object]) -> list[str]:
    return [dict(record.headers)["ce_id"].decode() for record in records]


async def test_every_request_is_answered_once_with_key_and_partition_of_its_request(
    world: World, topics: None
):
    await publish(world, *(ask(n) for n in range(300)))
    async with running(world, answer_all):
        found = await world.read(results(world), PARTITIONS, 300)
    assert sorted(ids(found)) == sorted(f"r{n}/result/1" for n in range(300))
    for record in found:
        number = int(json.loads(record.value)["request_id"][1:])
        assert record.partition == number % PARTITIONS
        assert record.key == f"e{number % 7}".encode()


async def test_outputs_keep_the_order_of_their_inputs_within_a_partition(world: World, topics: None):
    await publish(world, *(ask(n) for n in range(600)))
    async with running(world, answer_all, batch_records=64):
        found = await world.read(results(world), PARTITIONS, 600)
    for partition in range(PARTITIONS):
        numbers = [int(json.loads(r.value)["request_id"][1:]) for r in found if r.partition == partition]
        assert numbers == sorted(numbers)
        assert len(numbers) == 200


async def test_what_was_finished_before_a_stop_is_not_read_again_after_it(world: World, topics: None):
    await publish(world, *(ask(n) for n in range(90)))
    async with running(world, answer_all):
        await world.read(results(world), PARTITIONS, 90)
    await publish(world, *(ask(n) for n in range(90, 120)))
    seen: list[str | None] = []

    async def remember(batch: Sequence[Received]) -> Sequence[Verdict]:
        seen.extend(r.event.request_id for r in batch)
        return await answer_all(batch)

    async with running(world, remember):
        await world.read(results(world), PARTITIONS, 120)
    assert sorted(seen) == sorted(f"r{n}" for n in range(90, 120))


UNREADABLE = {
    "no JSON": (b"\xff\xfe not json", [], "undecodable"),
    "no object": (b"[1, 2]", [], "undecodable"),
    "an empty value": (b"", [], "empty"),
    "an unknown type": (b"{}", [("ce_type", b"com.example.order.v1")], "unknown-type"),
    "an unknown version": (b"{}", [("ce_type", b"ekiben.prediction.requested.v9")], "unknown-version"),
    "a ce_ header that is not UTF-8": (b"{}", [("ce_id", b"\xff\xff")], "undecodable"),
}


@pytest.mark.parametrize("case", UNREADABLE)
async def test_an_unreadable_record_goes_to_the_dead_letters_byte_for_byte(
    case: str, world: World, topics: None
):
    value, headers, reason = UNREADABLE[case]
    bad = WireRecord("", 1, b"\xf0key", value, [*headers, ("own", b"\xfe\x00")])
    await publish(world, ask(1, partition=1), bad, ask(2, partition=1))
    async with running(world, answer_all):
        good = await world.read(results(world), PARTITIONS, 2)
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)
    assert ids(good) == ["r1/result/1", "r2/result/1"]
    assert (dead.key, dead.value, dead.partition) == (bad.key, bad.value, 1)
    written = dict(dead.headers)
    assert written["own"] == b"\xfe\x00"
    assert written["dlq-reason"].decode() == reason
    assert written["dlq-stage"] == b"decode"
    assert written["dlq-id"].decode() == dead_letter_id(requests(world), GROUP, 1, 1)
    assert (written["dlq-topic"].decode(), written["dlq-offset"]) == (requests(world), b"1")
    assert b"expected" in written["dlq-error-message"]


async def test_a_header_that_is_not_ours_and_not_utf8_costs_nothing(world: World, topics: None):
    await publish(
        world, WireRecord("", 0, b"k", ask(1).value, [("trace", b"\xff\xfe"), ("traceparent", b"\xff")])
    )
    async with running(world, answer_all):
        assert ids(await world.read(results(world), PARTITIONS, 1)) == ["r1/result/1"]


async def test_a_bug_in_the_handler_costs_its_record_alone_and_keeps_its_stack(world: World, topics: None):
    await publish(world, *(ask(n) for n in range(40)))

    async def breaks_on_13(batch: Sequence[Received]) -> Sequence[Verdict]:
        if any(r.event.request_id == "r13" for r in batch):
            raise ZeroDivisionError("thirteen")
        return await answer_all(batch)

    async with running(world, breaks_on_13):
        found = await world.read(results(world), PARTITIONS, 39)
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)
    assert "r13/result/1" not in ids(found)
    written = dict(dead.headers)
    assert (written["dlq-reason"], written["dlq-error-class"]) == (b"bug", b"ZeroDivisionError")
    assert b"breaks_on_13" in written["dlq-error-stack"]


async def test_the_service_may_answer_for_a_dead_letter(world: World, topics: None):
    await publish(world, ask(5))

    async def always_broken(batch: Sequence[Received]) -> Sequence[Verdict]:
        raise RuntimeError("broken")

    def answers(failure: Failure) -> Verdict:
        assert failure.received is not None
        return DeadLetter("bug", "RuntimeError", "broken", outgoing=(answer(failure.received),))

    async with running(world, always_broken, answers):
        assert ids(await world.read(results(world), PARTITIONS, 1)) == ["r5/result/1"]
        assert len(await world.read(graveyard(world), PARTITIONS, 1)) == 1


async def test_a_dead_letter_fits_even_for_a_record_at_the_size_limit(world: World, topics: None):
    value = b"x" * (RECORD_LIMIT - 200)
    await publish(world, WireRecord("", 0, b"k", value, []))

    def loud(failure: Failure) -> Verdict:
        return DeadLetter("bug", "E", "m" * 100_000, stack="s" * 100_000)

    async with running(world, answer_all, loud):
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)
    assert dead.value == value


async def test_nothing_is_committed_while_a_dead_letter_cannot_be_written(world: World, topics: None):
    """Fail closed: progress stops, nothing is lost, and it goes on by itself once the topic takes records."""
    await world.topics.allow(graveyard(world), 100)
    await publish(world, ask(0, partition=0), ask(1, partition=0, value=b"broken"), ask(2, partition=0))
    async with running(world, answer_all) as service:
        await until(
            lambda: service.registry.get_sample_value(
                "ekiben_batches_failed_total", {"topic": requests(world)}
            )
        )
        assert await world.committed(world.prefix + GROUP, requests(world), 0) is None
        await world.topics.allow(graveyard(world), RECORD_LIMIT + HEADROOM)
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)
        assert dead.value == b"broken"
        answered = await world.read(results(world), PARTITIONS, 2)
    assert set(ids(answered)) == {"r0/result/1", "r2/result/1"}
    assert await world.committed(world.prefix + GROUP, requests(world), 0) == 3


async def test_a_held_record_keeps_its_place_and_what_follows_it_waits(world: World, topics: None):
    await publish(world, *(ask(n, partition=0) for n in range(5)), ask(50, partition=1))
    open_now = asyncio.Event()

    async def holds_r2(batch: Sequence[Received]) -> Sequence[Verdict]:
        return [
            Hold("endpoint away")
            if r.event.request_id == "r2" and not open_now.is_set()
            else Emit((answer(r),))
            for r in batch
        ]

    async with running(world, holds_r2) as service:
        early = await world.read(results(world), PARTITIONS, 3)
        assert sorted(ids(early)) == ["r0/result/1", "r1/result/1", "r50/result/1"]
        await until(
            lambda: (
                (
                    service.registry.get_sample_value("ekiben_batches_held_total", {"topic": requests(world)})
                    or 0
                )
                >= 3
            )
        )
        assert len(await world.read(results(world), PARTITIONS, 3)) == 3
        open_now.set()
        late = await world.read(results(world), PARTITIONS, 6)
    assert [i for i in ids(late) if i != "r50/result/1"] == [f"r{n}/result/1" for n in range(5)]


async def test_while_a_batch_is_on_its_way_the_next_is_decided_and_published_only_behind_it(
    world: World, topics: None
):
    await publish(world, *(ask(n, partition=0) for n in range(8)))
    decided_meanwhile, asked = asyncio.Event(), []

    async def holds_the_first_batch_once(batch: Sequence[Received]) -> Sequence[Verdict]:
        names = [received.event.request_id for received in batch]
        asked.append(names)
        if "r0" not in names:
            decided_meanwhile.set()
            return await answer_all(batch)
        if len([of for of in asked if "r0" in of]) > 1:
            return await answer_all(batch)
        await decided_meanwhile.wait()
        return [Hold("not yet")] * len(batch)

    async with running(world, holds_the_first_batch_once, batch_records=2, batches_in_flight=2):
        found = await world.read(results(world), PARTITIONS, 8)
    assert ids(found) == [f"r{n}/result/1" for n in range(8)]
    assert asked[:2] == [["r0", "r1"], ["r2", "r3"]]
    assert asked.count(["r2", "r3"]) > 1, "what was decided behind it was not published, and read again"


async def test_an_output_too_large_for_its_topic_becomes_a_dead_letter(world: World, topics: None):
    await publish(world, ask(0, partition=0), ask(1, partition=0), ask(2, partition=0))

    async def shouts_at_r1(batch: Sequence[Received]) -> Sequence[Verdict]:
        verdicts = []
        for received in batch:
            outgoing = answer(received)
            if received.event.request_id == "r1":
                event = outgoing.event.model_copy(update={"message": "x" * (2 * RECORD_LIMIT)})
                outgoing = Outgoing(outgoing.topic, event, outgoing.id)
            verdicts.append(Emit((outgoing,)))
        return verdicts

    async with running(world, shouts_at_r1):
        assert ids(await world.read(results(world), PARTITIONS, 2)) == ["r0/result/1", "r2/result/1"]
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)
    assert dict(dead.headers)["dlq-stage"] == b"publish"
    assert dict(dead.headers)["dlq-error-class"] == b"OutputTooLargeError"


async def test_two_consumers_share_a_topic_and_lose_nothing_when_one_leaves(world: World, topics: None):
    await publish(world, *(ask(n) for n in range(150)))
    async with running(world, answer_all) as first:
        async with running(world, answer_all, batch_records=10) as second:
            await until(lambda: not first._problems() and not second._problems())
            await publish(world, *(ask(n) for n in range(150, 300)))
            await world.read(results(world), PARTITIONS, 200)
        await publish(world, *(ask(n) for n in range(300, 330)))
        found = await world.read(results(world), PARTITIONS, 330)
    assert set(ids(found)) == {f"r{n}/result/1" for n in range(330)}


async def test_a_drain_finishes_the_batch_in_flight(world: World, topics: None):
    await publish(world, *(ask(n, partition=0) for n in range(3)))
    entered, proceed = asyncio.Event(), asyncio.Event()

    async def slow(batch: Sequence[Received]) -> Sequence[Verdict]:
        entered.set()
        await proceed.wait()
        return await answer_all(batch)

    async with running(world, slow) as service:
        await asyncio.wait_for(entered.wait(), 30)
        service.stop()
        asyncio.get_running_loop().call_later(0.2, proceed.set)
    assert len(await world.read(results(world), PARTITIONS, 3)) == 3
    assert await world.committed(world.prefix + GROUP, requests(world), 0) == 3


async def test_a_drain_gives_up_a_batch_that_hangs_and_leaves_it_to_whoever_comes_next(
    world: World, topics: None
):
    await publish(world, *(ask(n, partition=0) for n in range(3)))
    entered = asyncio.Event()

    async def hangs(batch: Sequence[Received]) -> Sequence[Verdict]:
        entered.set()
        await asyncio.Event().wait()
        return []

    async with asyncio.timeout(30), running(world, hangs, drain_timeout_s=0.2):
        await entered.wait()
    assert await world.committed(world.prefix + GROUP, requests(world), 0) is None
    async with running(world, answer_all):
        assert ids(await world.read(results(world), PARTITIONS, 3)) == [f"r{n}/result/1" for n in range(3)]


async def test_a_batch_that_hangs_is_given_up_and_read_again(world: World, topics: None):
    await publish(world, *(ask(n, partition=0) for n in range(3)))
    calls = 0

    async def hangs_once(batch: Sequence[Received]) -> Sequence[Verdict]:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.Event().wait()
        return await answer_all(batch)

    async with running(world, hangs_once, batch_timeout_s=0.3):
        assert ids(await world.read(results(world), PARTITIONS, 3)) == [f"r{n}/result/1" for n in range(3)]


def defined(name: str, revision: int) -> Outgoing:
    event = EnsembleDefined(
        ensemble=name,
        revision=revision,
        members=["a", "b"],
        method="average",
        defined_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return Outgoing(ROUTES, event, f"{name}/{revision}", key=event.key.encode())


async def test_a_table_is_fully_read_before_the_first_record_is_handled(world: World, topics: None):
    await world.topics.create(world.prefix + ROUTES.name, 1, RECORD_LIMIT)
    await publish(world, ask(1))
    tables = []
    known_at_first_record: list[int] = []

    async def look(batch: Sequence[Received]) -> Sequence[Verdict]:
        known_at_first_record.append(len(tables[0].rows))
        return await answer_all(batch)

    writer = world.service("deployer", ServiceSettings(topic_prefix=world.prefix))
    await writer.publish([defined(f"e{n}", revision) for n in range(200) for revision in (1, 2)])
    async with running(world, look, settle=lambda service: tables.append(service.table(ROUTES))):
        await world.read(results(world), PARTITIONS, 1)
        assert known_at_first_record[0] == 200
        assert {row.revision for row in tables[0].values()} == {2}
        await writer.publish([defined("e-new", 1)])
        await tables[0].catch_up()
        assert tables[0].get("ensemble/e-new") is not None
    await writer._publisher.stop()


async def test_start_up_refuses_an_output_topic_with_fewer_partitions(world: World):
    for topic, partitions in (
        (PREDICTION_REQUESTS, 3),
        (MODEL_OUTPUTS, 3),
        (PREDICTION_RESULTS, 2),
        (SHADOW_OUTPUTS, 3),
    ):
        await world.topics.create(world.prefix + topic.name, partitions, RECORD_LIMIT)
    for purpose in side_purposes(PREDICTION_REQUESTS, GROUP):
        await world.topics.create(side(world, purpose), 3, RECORD_LIMIT)
    service = world.service(GROUP, ServiceSettings(topic_prefix=world.prefix))
    service.consume(PREDICTION_REQUESTS, answer_all)
    with pytest.raises(
        TooFewPartitionsError, match=r"prediction-results: expected at least 3 partitions .*, found 2"
    ):
        await service.serve()


async def test_nothing_is_committed_before_its_batch_is_answered(world: World, topics: None):
    await publish(world, *(ask(n, partition=0) for n in range(3)))
    entered, proceed = asyncio.Event(), asyncio.Event()

    async def slow(batch: Sequence[Received]) -> Sequence[Verdict]:
        entered.set()
        await proceed.wait()
        return await answer_all(batch)

    async with running(world, slow, commit_interval_s=0.01) as service:
        await asyncio.wait_for(entered.wait(), 30)
        await asyncio.sleep(0.2)  # many times the interval: a commit that is going to come has come
        assert await world.committed(world.prefix + GROUP, requests(world), 0) is None
        proceed.set()
        await world.read(results(world), PARTITIONS, 3)
        assert not service._problems()


async def test_a_revoked_partition_is_committed_before_its_next_owner_reads(world: World, topics: None):
    seen: list[str | None] = []

    async def remember(batch: Sequence[Received]) -> Sequence[Verdict]:
        seen.extend(r.event.request_id for r in batch)
        return await answer_all(batch)

    await publish(world, *(ask(n) for n in range(30)))
    async with running(world, remember, commit_interval_s=1000):
        await world.read(results(world), PARTITIONS, 30)
        async with running(world, remember, commit_interval_s=1000) as second:
            await until(lambda: not second._problems())
            await publish(world, *(ask(n) for n in range(30, 60)))
            await world.read(results(world), PARTITIONS, 60)
    assert sorted(seen) == sorted(f"r{n}" for n in range(60))


async def test_a_revoke_waits_for_the_batch_in_flight(world: World, topics: None):
    seen: list[str | None] = []
    entered, proceed = asyncio.Event(), asyncio.Event()

    async def slow(batch: Sequence[Received]) -> Sequence[Verdict]:
        seen.extend(r.event.request_id for r in batch)
        entered.set()
        await proceed.wait()
        return await answer_all(batch)

    await publish(world, *(ask(n) for n in range(30)))
    async with running(world, slow):
        await asyncio.wait_for(entered.wait(), 30)
        async with running(world, slow) as second:
            asyncio.get_running_loop().call_later(0.5, proceed.set)
            await until(lambda: not second._problems())
            found = await world.read(results(world), PARTITIONS, 30)
    assert sorted(ids(found)) == sorted(f"r{n}/result/1" for n in range(30))
    assert sorted(seen) == sorted(f"r{n}" for n in range(30))
