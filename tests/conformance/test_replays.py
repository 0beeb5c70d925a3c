"""Dead letters that come back: who reads a replay, and what it is answered with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from conformance.test_bus import GROUP, PARTITIONS, ask, ids, publish, requests, results, side, topics
from conformance.world import World, until
from ekiben import Ekiben
from ekiben.dead_letters import Actor, Selection, Treatment, Why, read_patch
from ekiben_bus.records import Received
from ekiben_bus.settings import ServiceSettings
from ekiben_bus.verdicts import DeadLetter, Emit, Handler, Outgoing, Verdict
from ekiben_contracts.event import Event
from ekiben_contracts.identity import Stage, dead_letter_id, output_id
from ekiben_contracts.lean import REQUESTED
from ekiben_contracts.prediction import (
    FailureCode,
    ModelsScored,
    PredictionFailed,
)
from ekiben_contracts.topics import (
    DEAD_LETTER_ACTIONS,
    HEADROOM,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    SHADOW,
    SYNTHESIZER,
    Topic,
    side_purposes,
)

__all__ = ["topics"]  # a fixture

ANN = Actor("ann", "mended")
MEND = Treatment(read_patch('[{"op": "replace", "path": "/features/x", "value": 1}]'))


def answer(received: Received) -> Outgoing:
    event = received.event
    assert isinstance(event, REQUESTED)
    told = PredictionFailed(
        attempt=received.attempt,
        request_id=event.request_id or "?",
        model=event.model,
        entity_id=event.entity_id,
        code=FailureCode.INTERNAL,
        message="an answer",
        retryable=False,
        failed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return Outgoing(PREDICTION_RESULTS, told, output_id(told.request_id, Stage.RESULT, received.attempt))


async def dislikes_sevens(batch: Sequence[Received]) -> Sequence[Verdict]:
    """A handler that cannot bear `x` to be 7."""
    return [
        DeadLetter("seven", "SevenError", "expected no 7") if is_seven(r.event) else Emit((answer(r),))
        for r in batch
    ]


def is_seven(event: Event) -> bool:
    assert isinstance(event, REQUESTED)
    return bool(event.features) and event.features.get("x") == 7


@pytest.fixture
async def ekiben(world: World, topics: None) -> AsyncIterator[Ekiben]:
    """A client of a cluster with the log of actions."""
    name = world.prefix + DEAD_LETTER_ACTIONS.name
    await world.topics.create(name, PARTITIONS, DEAD_LETTER_ACTIONS.max_message_bytes)
    async with Ekiben(cluster=world.cluster, topic_prefix=world.prefix) as ekiben:
        yield ekiben


@asynccontextmanager
async def running(world: World, topic: Topic, name: str, handler: Handler) -> AsyncIterator[None]:
    settings = ServiceSettings(topic_prefix=world.prefix, backoff_s=0.05, commit_interval_s=0.05)
    service = world.service(name, settings)
    service.consume(topic, handler)
    serving = asyncio.create_task(service.serve())
    try:
        yield
    finally:
        service.stop()
        await serving


def gateway(world: World):
    return running(world, PREDICTION_REQUESTS, GROUP, dislikes_sevens)


def selected(ekiben: Ekiben, **conditions):
    return ekiben.dead_letters(Selection(topic=PREDICTION_REQUESTS.name, group=GROUP, **conditions))


async def replayed(ekiben: Ekiben, treatment: Treatment | None = None, **how) -> list[str]:
    return [move.id async for chunk in selected(ekiben).replay(ANN, treatment, **how) for move in chunk.moves]


async def dead(world: World, count: int) -> None:
    """Returns when so many have died."""
    await world.read(side(world, "dlq"), PARTITIONS, count)


async def test_what_died_is_patched_replayed_and_answered_as_its_second_attempt(
    world: World, topics: None, ekiben: Ekiben
):
    await publish(world, *(ask(number) for number in range(10)))
    async with gateway(world):
        await dead(world, 1)
        await world.read(results(world), PARTITIONS, 9)
        assert await replayed(ekiben, MEND) == [dead_letter_id(requests(world), GROUP, 1, 2)]
        found = await world.read(results(world), PARTITIONS, 10)
    assert [name for name in ids(found) if name.startswith("r7/")] == ["r7/result/2"]
    assert len(await world.read(requests(world), PARTITIONS, 10)) == 10
    assert [letter async for letter in selected(ekiben).unsettled()] == []


async def test_a_replay_with_a_deadline_long_past_has_none_any_more(
    world: World, topics: None, ekiben: Ekiben
):
    deadlines: dict[int, datetime | None] = {}

    async def look(batch: Sequence[Received]) -> Sequence[Verdict]:
        deadlines.update((r.attempt, r.event.deadline) for r in batch)
        return await dislikes_sevens(batch)

    value = b'{"model": "m", "entity_id": "e", "features": {"x": 7}, "deadline": "2013-01-01T00:00:00Z"}'
    await publish(world, ask(7, value=value))
    async with running(world, PREDICTION_REQUESTS, GROUP, look):
        await dead(world, 1)
        await replayed(ekiben)
        await dead(world, 2)
    assert deadlines == {1: datetime(2013, 1, 1, tzinfo=UTC), 2: None}


async def test_replaying_twice_gives_no_second_result_to_a_reader_that_drops_equal_ids(
    world: World, topics: None, ekiben: Ekiben
):
    await publish(world, ask(7))
    async with gateway(world):
        await dead(world, 1)
        (letter_id,) = [letter.id async for letter in selected(ekiben).unsettled()]
        by_id = ekiben.dead_letters(Selection(ids=frozenset([letter_id])))
        for _ in range(2):
            assert [len(chunk.moves) async for chunk in by_id.replay(ANN, MEND, again=True)] == [1]
        found = await world.read(results(world), PARTITIONS, 2)
    assert ids(found) == ["r7/result/2"] * 2


async def test_what_keeps_coming_back_has_three_attempts(world: World, topics: None, ekiben: Ekiben):
    await publish(world, ask(7))
    async with gateway(world):
        for attempt in (1, 2):
            await dead(world, attempt)
            assert await replayed(ekiben) == [dead_letter_id(requests(world), GROUP, 1, 0, attempt)]
        await dead(world, 3)
        (chunk,) = [chunk async for chunk in selected(ekiben).replay(ANN)]
    assert chunk.moves == []
    assert [(each.why, each.id[-2:]) for each in chunk.left_out] == [(Why.RETURNING, "/3")]
    (counted,) = await selected(ekiben).count()
    assert (counted.count, counted.returning, counted.reason) == (1, 1, "seven")
    case = await ekiben.dead_letters().look_into(counted.latest_id)
    assert [letter.attempt for letter in case.attempts] == [1, 2, 3]
    assert [action.attempt for action in case.actions] == [1, 2]


async def test_a_replay_enters_the_group_that_failed_and_no_other_reader_of_the_topic(
    world: World, topics: None, ekiben: Ekiben
):
    outputs = world.prefix + MODEL_OUTPUTS.name
    await world.topics.create(outputs, PARTITIONS, MODEL_OUTPUTS.max_message_bytes)
    for group in (SYNTHESIZER, SHADOW):
        for purpose in side_purposes(MODEL_OUTPUTS, group):
            limit = MODEL_OUTPUTS.max_message_bytes + HEADROOM
            await world.topics.create(f"{outputs}.{group}.{purpose}", PARTITIONS, limit)
    attempts: dict[str, list[int]] = {SYNTHESIZER: [], SHADOW: []}

    async def well(batch: Sequence[Received]) -> Sequence[Verdict]:
        attempts[SYNTHESIZER] += [r.attempt for r in batch]
        return [Emit() for _ in batch]

    async def sick_once(batch: Sequence[Received]) -> Sequence[Verdict]:
        attempts[SHADOW] += [r.attempt for r in batch]
        return [DeadLetter("sick", "E", "") if r.attempt == 1 else Emit() for r in batch]

    event = ModelsScored(
        request_id="r",
        model="m",
        entity_id="e",
        time_horizon="",
        requested_at=datetime(2026, 1, 1, tzinfo=UTC),
        outputs=[],
    )
    async with (
        running(world, MODEL_OUTPUTS, SYNTHESIZER, well),
        running(world, MODEL_OUTPUTS, SHADOW, sick_once),
    ):
        await ekiben.send([Outgoing(MODEL_OUTPUTS, event, "r/scored/1")])
        await world.read(f"{outputs}.{SHADOW}.dlq", PARTITIONS, 1)
        await until(lambda: attempts[SYNTHESIZER])
        letters = ekiben.dead_letters(topic=MODEL_OUTPUTS.name, group=SHADOW)
        assert [len(chunk.moves) async for chunk in letters.replay(ANN)] == [1]
        await until(lambda: len(attempts[SHADOW]) == 2)
        await ekiben.send([Outgoing(MODEL_OUTPUTS, event, "r/scored/2")])
        await until(lambda: len(attempts[SYNTHESIZER]) == 2)
    assert attempts[SYNTHESIZER] == [1, 1]
    assert attempts[SHADOW][:2] == [1, 2]
