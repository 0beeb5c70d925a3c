"""Dead letters on their topics: which are listed, what a replay and a discard write."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ekiben import Ekiben
from ekiben.dead_letters import Actor, Pace, Selection, Treatment, Why, read_patch
from ekiben.dead_letters.desk import Desk
from ekiben.dead_letters.letters import DeadLetters
from ekiben.errors import InvalidInputError, NotFoundError
from ekiben_bus.publishing import PublishError
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.operations import DeadLetterDiscarded, DeadLetterReplayed
from ekiben_contracts.topics import DEAD_LETTER_ACTIONS
from unit.dead_letters.building import NOW, THE_DAY_BEFORE, bury, grave, letter_id, payload, records

ANN = Actor("ann", "mended")
ALL = Treatment(most_attempts=None)


@pytest.fixture
async def ekiben(cluster):
    async with Ekiben(cluster=cluster, now=lambda: NOW) as ekiben:
        yield ekiben


async def done(chunks):
    """The ids that were moved, and what was left out."""
    moved, left_out = [], []
    async for chunk in chunks:
        moved += [move.id for move in chunk.moves]
        left_out += chunk.left_out
    return moved, left_out


async def unsettled(ekiben, **conditions):
    return [letter.id async for letter in ekiben.dead_letters(Selection(**conditions)).unsettled()]


def sent(cluster):
    return records(cluster, grave().replay)


def actions(cluster):
    found = records(cluster, DEAD_LETTER_ACTIONS.name)
    return [decode(record.value, record.headers, DEAD_LETTER_ACTIONS) for record in found]


async def test_what_is_replayed_is_sent_once_and_recorded_with_who_when_and_why(cluster, ekiben):
    bury(cluster, offset=1)
    patch = read_patch('[{"op": "replace", "path": "/features/carrier", "value": "UA"}]')
    moved, left_out = await done(ekiben.dead_letters().replay(ANN, Treatment(patch)))
    assert (moved, left_out) == ([letter_id(1)], [])
    (record,) = sent(cluster)
    assert json.loads(record.value)["features"]["carrier"] == "UA"
    (action,) = actions(cluster)
    assert action.id == f"{letter_id(1)}/replayed"
    assert action.data == DeadLetterReplayed(
        dead_letter=letter_id(1),
        topic="ekiben.prediction-requests",
        group="inference-gateway",
        by="ann",
        why="mended",
        patch=patch.operations,
        acted_at=NOW,
    )


async def test_what_was_replayed_is_not_replayed_again(cluster, ekiben):
    for offset in range(3):
        bury(cluster, offset=offset)
    await done(ekiben.dead_letters().replay(ANN))
    assert await unsettled(ekiben) == []
    assert await done(ekiben.dead_letters().replay(ANN)) == ([], [])
    assert len(sent(cluster)) == 3


async def test_asked_for_again_it_is_sent_as_the_same_attempt(cluster, ekiben):
    only = ekiben.dead_letters(Selection(ids=frozenset([bury(cluster)])))
    for _ in range(2):
        await done(only.replay(ANN, ALL, again=True))
    first, second = sent(cluster)
    assert (first.key, first.value, first.headers) == (second.key, second.value, second.headers)
    assert {action.id for action in actions(cluster)} == {f"{letter_id()}/replayed"}


async def test_a_replay_that_was_sent_and_not_recorded_is_sent_again_as_the_same_record(
    cluster, ekiben, monkeypatch
):
    bury(cluster)
    publish = ekiben._connection.publish

    async def dies_before_the_record(batch):
        if batch[0].topic == DEAD_LETTER_ACTIONS.name:
            raise PublishError("killed")
        await publish(batch)

    monkeypatch.setattr(ekiben._connection, "publish", dies_before_the_record)
    with pytest.raises(PublishError):
        await done(ekiben.dead_letters().replay(ANN))
    monkeypatch.undo()
    assert await unsettled(ekiben) == [letter_id()]
    await done(ekiben.dead_letters().replay(ANN))
    first, second = sent(cluster)
    assert (first.value, first.headers) == (second.value, second.headers)
    assert await unsettled(ekiben) == []


async def test_one_that_came_back_stands_for_the_attempts_before_it(cluster, ekiben):
    """Its replay was sent; that nobody recorded it must not bring a second result."""
    for attempt in (1, 2):
        bury(cluster, attempt=attempt)
    assert await unsettled(ekiben) == [letter_id(attempt=2)]
    assert (await done(ekiben.dead_letters().replay(ANN)))[0] == [letter_id(attempt=2)]


async def test_one_that_was_written_twice_is_replayed_once(cluster, ekiben):
    for _ in range(2):
        bury(cluster)
    assert (await done(ekiben.dead_letters().replay(ANN)))[0] == [letter_id()]
    assert len(sent(cluster)) == 1


async def test_what_was_discarded_is_not_listed_any_more_and_can_be_asked_for(cluster, ekiben):
    for offset in range(2):
        bury(cluster, offset=offset)
    only = ekiben.dead_letters(Selection(ids=frozenset([letter_id(0)])))
    assert (await done(only.discard(ANN)))[0] == [letter_id(0)]
    assert await unsettled(ekiben) == [letter_id(1)]
    assert sent(cluster) == []
    (action,) = actions(cluster)
    assert isinstance(action.data, DeadLetterDiscarded)
    assert (action.data.by, action.data.why) == ("ann", "mended")
    assert len([letter async for letter in ekiben.dead_letters()]) == 2
    assert (await done(only.replay(ANN)))[0] == []
    assert (await done(only.replay(ANN, again=True)))[0] == [letter_id(0)]


async def test_what_keeps_coming_back_is_left_out_told_and_counted(cluster, ekiben):
    bury(cluster, offset=1, attempt=3)
    bury(cluster, offset=2)
    moved, left_out = await done(ekiben.dead_letters().replay(ANN))
    assert moved == [letter_id(2)]
    assert [(each.id, each.why) for each in left_out] == [(letter_id(1, 3), Why.RETURNING)]
    (counted,) = await ekiben.dead_letters().count()
    assert (counted.count, counted.returning) == (1, 1)
    assert (await done(ekiben.dead_letters().replay(ANN, ALL)))[0] == [letter_id(1, 3)]


async def test_a_record_that_cannot_be_patched_is_left_out_and_the_rest_goes_on(cluster, ekiben):
    bury(cluster, b"\xff", offset=1)
    bury(cluster, offset=2)
    patch = read_patch('[{"op": "replace", "path": "/model", "value": "trees"}]')
    moved, left_out = await done(ekiben.dead_letters().replay(ANN, Treatment(patch)))
    assert (moved, [each.id for each in left_out]) == ([letter_id(2)], [letter_id(1)])
    assert await unsettled(ekiben) == [letter_id(1)]


async def test_only_what_is_meant_is_replayed(cluster, ekiben):
    bury(cluster, offset=1, reason="bug")
    bury(cluster, offset=2)
    bury(cluster, offset=3, key=b"another")
    chosen = {
        "reason": "unknown-model",
        "key": b"UA-1545",
        "since": THE_DAY_BEFORE + timedelta(minutes=2),
        "until": THE_DAY_BEFORE + timedelta(minutes=3),
    }
    assert (await done(ekiben.dead_letters(Selection(**chosen)).replay(ANN)))[0] == [letter_id(2)]


async def test_a_limit_stops_a_replay_and_the_next_one_goes_on_from_there(cluster, ekiben):
    for offset in range(10):
        bury(cluster, offset=offset)
    for expected in ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9]):
        moved, _ = await done(ekiben.dead_letters().replay(ANN, limit=4))
        assert moved == [letter_id(offset) for offset in expected]
    assert len(sent(cluster)) == 10


async def test_a_dry_run_tells_the_same_and_changes_nothing(cluster, ekiben):
    bury(cluster)
    assert (await done(ekiben.dead_letters().replay(ANN, dry_run=True)))[0] == [letter_id()]
    assert (await done(ekiben.dead_letters().discard(ANN, dry_run=True)))[0] == [letter_id()]
    assert (sent(cluster), actions(cluster)) == ([], [])


async def test_a_replay_keeps_its_pace_however_long_it_searched(cluster, ekiben):
    clock = waited = 0.0

    async def sleep(seconds):
        nonlocal clock, waited
        clock += seconds
        waited += seconds

    def searching(_progress):
        nonlocal clock
        clock += 1000.0

    for offset in range(100):
        bury(cluster, offset=offset)
    desk = Desk(ekiben._connection, ekiben._author, lambda: NOW, lambda: clock, sleep)
    letters = DeadLetters(desk, Selection(), searching)
    moved, _ = await done(letters.replay(ANN, pace=Pace(20)))
    assert len(moved) == 100
    assert waited == pytest.approx(5.0)


async def test_a_topic_that_nobody_reads_is_told_from_one_without_dead_letters(ekiben):
    with pytest.raises(NotFoundError, match="inference-gateway reads "):
        await ekiben.dead_letters(topic="ekiben.prediction-reqeusts").count()
    assert await ekiben.dead_letters(topic="ekiben.prediction-requests").count() == []


async def test_large_records_are_sent_a_few_at_a_time(cluster, ekiben):
    for offset in range(12):
        bury(cluster, payload(features={"note": "x" * 900_000}), offset=offset)
    sizes = [len(chunk.moves) async for chunk in ekiben.dead_letters().replay(ANN)]
    assert sum(sizes) == 12
    assert max(sizes) <= 6


async def test_the_history_of_a_letter_is_every_attempt_and_what_was_done_about_each(cluster, ekiben):
    bury(cluster)
    await done(ekiben.dead_letters().replay(ANN))
    bury(cluster, attempt=2, reason="bug")
    bury(cluster, offset=42)
    case = await ekiben.dead_letters().look_into(letter_id(attempt=2))
    assert (case.letter.id, case.is_settled) == (letter_id(attempt=2), False)
    assert [letter.reason for letter in case.attempts] == ["unknown-model", "bug"]
    assert [(action.dead_letter, action.by) for action in case.actions] == [(letter_id(), "ann")]
    assert (await ekiben.dead_letters().look_into(letter_id())).is_settled


async def test_a_letter_that_is_not_there_is_not_found(ekiben):
    with pytest.raises(NotFoundError, match="none with the id"):
        await ekiben.dead_letters().look_into(letter_id(7))


async def test_a_reading_tells_how_far_it_is(cluster, ekiben):
    told = []
    for offset in range(2500):
        bury(cluster, offset=offset)
    await ekiben.dead_letters(group="inference-gateway", watch=told.append).count()
    mine = [(each.read, each.total) for each in told if each.topic == grave().dead_letters]
    assert mine == [(1000, 2500), (2000, 2500), (2500, 2500)] * 2


def test_a_reason_without_end_is_refused():
    with pytest.raises(InvalidInputError, match="at most"):
        Actor("ann", "because " * 100_000)
