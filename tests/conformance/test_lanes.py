"""Retry topics, parking and replay: what leaves the main flow comes back as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from conformance.test_bus import (
    GROUP,
    PARTITIONS,
    answer,
    answer_all,
    ask,
    graveyard,
    ids,
    publish,
    requests,
    results,
    running,
    side,
    topics,
)
from conformance.world import World, until
from ekiben_bus.lanes import MovedRecord, move, replay
from ekiben_bus.memory import StoredRecord
from ekiben_bus.publishing import WireRecord
from ekiben_bus.records import Received
from ekiben_bus.verdicts import DeadLetter, Emit, Hold, Park, Retry, Verdict
from ekiben_contracts.identity import dead_letter_id

__all__ = ["topics"]  # a fixture

QUICK_RETRIES = {"retry_delays_s": (0.2, 0.3, 0.4)}


def exhausted(received: Received) -> DeadLetter:
    return DeadLetter("retries-exhausted", "TransientError", "still failing", outgoing=(answer(received),))


async def test_a_retry_comes_back_later_as_it_was_and_delays_nobody(world: World, topics: None):
    seen: dict[str, list[tuple]] = {}

    async def fails_r3_once(batch: Sequence[Received]) -> Sequence[Verdict]:
        verdicts: list[Verdict] = []
        for received in batch:
            name, record = received.event.request_id, received.record
            seen.setdefault(name, []).append(
                (record.topic, record.partition, record.offset, record.timestamp, received.dead_letter_id)
            )
            fails = name == "r3" and len(seen["r3"]) == 1
            verdicts.append(Retry("503", exhausted(received)) if fails else Emit((answer(received),)))
        return verdicts

    await publish(world, *(ask(n, partition=0) for n in range(6)))
    async with running(world, fails_r3_once, **QUICK_RETRIES):
        found = await world.read(results(world), PARTITIONS, 6)
    assert ids(found)[:5] == [f"r{n}/result/1" for n in (0, 1, 2, 4, 5)]
    assert ids(found)[5:] == ["r3/result/1"]
    first, again = seen["r3"]
    assert first == again
    assert again[4] == dead_letter_id(requests(world), GROUP, 0, 3)


async def test_a_retry_waits_for_its_time(world: World, topics: None):
    tries: list[float] = []

    async def fails_once(batch: Sequence[Received]) -> Sequence[Verdict]:
        tries.append(asyncio.get_running_loop().time())
        return [Retry("503", exhausted(r)) if len(tries) == 1 else Emit((answer(r),)) for r in batch]

    await publish(world, ask(1))
    async with running(world, fails_once, retry_delays_s=(0.7, 1, 1)):
        await world.read(results(world), PARTITIONS, 1)
    assert len(tries) == 2
    assert tries[1] - tries[0] >= 0.69


async def test_a_retry_that_is_not_due_lets_none_behind_it_pass(world: World, topics: None):
    """Stamps are of many clocks: what is due may lie behind what is not, and must not be committed past."""
    now = int(world.clock().timestamp() * 1000)
    first, second = (
        move(StoredRecord(requests(world), 0, n, now, b"k", ask(n).value, ()), "") for n in (1, 2)
    )
    producer = world.cluster.producer()
    await producer.start()
    batch = producer.create_batch()
    for record, stamp in ((first, now + 1000), (second, now - 60_000)):
        batch.append(timestamp=stamp, key=record.key, value=record.value, headers=record.headers)
    await (await producer.send_batch(batch, side(world, "retry-5s"), partition=0))
    await producer.stop()
    async with running(world, answer_all, **QUICK_RETRIES):
        assert ids(await world.read(results(world), PARTITIONS, 2)) == ["r1/result/1", "r2/result/1"]


async def test_nothing_overtakes_a_record_that_could_not_be_moved_and_is_answered_after_all(
    world: World, topics: None
):
    recovered = asyncio.Event()

    async def r0_fails_at_first(batch: Sequence[Received]) -> Sequence[Verdict]:
        return [
            Retry("503", exhausted(r))
            if r.event.request_id == "r0" and not recovered.is_set()
            else Emit((answer(r),))
            for r in batch
        ]

    await world.topics.allow(side(world, "retry-5s"), 100)
    await publish(world, *(ask(n, partition=0) for n in range(4)))
    async with running(world, r0_fails_at_first, **QUICK_RETRIES) as service:
        await until(
            lambda: service.registry.get_sample_value(
                "ekiben_batches_failed_total", {"topic": requests(world)}
            )
        )
        recovered.set()
        assert ids(await world.read(results(world), PARTITIONS, 4))[:4] == [
            f"r{n}/result/1" for n in range(4)
        ]


async def test_when_all_retries_are_over_the_record_is_a_dead_letter_with_its_answer(
    world: World, topics: None
):
    tries = 0

    async def always_fails(batch: Sequence[Received]) -> Sequence[Verdict]:
        nonlocal tries
        tries += len(batch)
        return [Retry("503", exhausted(received)) for received in batch]

    original = ask(1)
    await publish(world, original)
    async with running(world, always_fails, **QUICK_RETRIES):
        assert ids(await world.read(results(world), PARTITIONS, 1)) == ["r1/result/1"]
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)
    assert tries == 4
    assert (dead.key, dead.value, dead.partition) == (original.key, original.value, original.partition)
    written = dict(dead.headers)
    assert written["dlq-topic"].decode() == requests(world)
    assert written["dlq-reason"] == b"retries-exhausted"
    assert not [name for name in written if name.startswith("ekiben-lane-")]


async def test_parked_records_wait_aside_and_are_answered_once_their_endpoint_is(world: World, topics: None):
    healthy = asyncio.Event()

    async def odd_ones_are_sick(batch: Sequence[Received]) -> Sequence[Verdict]:
        return [
            Park("model-b", "connection refused")
            if int(r.event.request_id[1:]) % 2 and not healthy.is_set()
            else Emit((answer(r),))
            for r in batch
        ]

    await publish(world, *(ask(n) for n in range(60)))
    async with running(world, odd_ones_are_sick):
        well = await world.read(results(world), PARTITIONS, 30)
        parked = await world.read(side(world, "parked"), PARTITIONS, 30)
        assert sorted(ids(well)) == sorted(f"r{n}/result/1" for n in range(0, 60, 2))
        assert {dict(record.headers)["ekiben-lane-endpoint"] for record in parked} == {b"model-b"}
        healthy.set()
        found = await world.read(results(world), PARTITIONS, 60)
    assert sorted(ids(found)) == sorted(f"r{n}/result/1" for n in range(60))
    assert len(await world.read(side(world, "parked"), PARTITIONS, 30)) == 30


async def test_what_waits_for_its_endpoint_is_answered_by_the_handler_that_has_the_time(
    world: World, topics: None
):
    async def in_a_hurry(batch: Sequence[Received]) -> Sequence[Verdict]:
        return [Park("model-b", "slow") for _ in batch]

    await publish(world, *(ask(n) for n in range(9)))
    async with running(world, in_a_hurry, parked=answer_all):
        found = await world.read(results(world), PARTITIONS, 9)
    assert sorted(ids(found)) == sorted(f"r{n}/result/1" for n in range(9))


async def test_parked_records_survive_a_restart(world: World, topics: None):
    async def sick(batch: Sequence[Received]) -> Sequence[Verdict]:
        return [Park("model-b", "away") for _ in batch]

    await publish(world, *(ask(n) for n in range(9)))
    async with running(world, sick):
        await world.read(side(world, "parked"), PARTITIONS, 9)
    async with running(world, answer_all):
        found = await world.read(results(world), PARTITIONS, 9)
    assert sorted(ids(found)) == sorted(f"r{n}/result/1" for n in range(9))


async def test_a_user_cannot_claim_another_origin_or_attempt(world: World, topics: None):
    forged = move(StoredRecord("other", 2, 99, 5, b"k", ask(1).value, ()), "", reason="forged")
    await publish(world, WireRecord("", 0, b"k", ask(1).value, forged.headers))
    places: list[tuple] = []

    async def look(batch: Sequence[Received]) -> Sequence[Verdict]:
        places.extend((r.record.topic, r.record.offset, r.attempt) for r in batch)
        return await answer_all(batch)

    async with running(world, look):
        await world.read(results(world), PARTITIONS, 1)
    assert places == [(requests(world), 0, 1)]


async def test_a_replayed_record_keeps_its_place_and_raises_its_attempt(world: World, topics: None):
    died = MovedRecord(requests(world), 1, 42, 5, b"k", ask(7).value, [("own", b"\xff")], 1)
    places: list[tuple] = []

    async def look(batch: Sequence[Received]) -> Sequence[Verdict]:
        places.extend(
            (r.record.topic, r.record.partition, r.record.offset, r.attempt, r.dead_letter_id) for r in batch
        )
        return await answer_all(batch)

    await world.produce(replay(died, side(world, "replay")))
    async with running(world, look):
        await world.read(results(world), PARTITIONS, 1)
    assert places == [(requests(world), 1, 42, 2, dead_letter_id(requests(world), GROUP, 1, 42, 2))]


async def test_held_records_of_the_parked_topic_do_not_stop_the_main_flow(world: World, topics: None):
    async def first_is_sick(batch: Sequence[Received]) -> Sequence[Verdict]:
        return [Park("x", "away") if r.event.request_id == "r0" else Emit((answer(r),)) for r in batch]

    await publish(world, ask(0, partition=0))
    async with running(world, first_is_sick):
        await world.read(side(world, "parked"), PARTITIONS, 1)
        await publish(world, *(ask(n, partition=0) for n in range(1, 50)))
        assert len(await world.read(results(world), PARTITIONS, 49)) == 49


async def test_a_hold_of_everything_moves_nothing_aside(world: World, topics: None):
    up = asyncio.Event()

    async def nobody_answers(batch: Sequence[Received]) -> Sequence[Verdict]:
        return [Emit((answer(r),)) if up.is_set() else Hold("all away") for r in batch]

    await publish(world, *(ask(n, partition=0) for n in range(5)))
    async with running(world, nobody_answers) as service:
        async with asyncio.timeout(30):
            while not service.registry.get_sample_value(
                "ekiben_batches_held_total", {"topic": requests(world)}
            ):
                await asyncio.sleep(0.01)
        up.set()
        assert ids(await world.read(results(world), PARTITIONS, 5)) == [f"r{n}/result/1" for n in range(5)]
    assert await world.read(side(world, "parked"), PARTITIONS, 0) == []
