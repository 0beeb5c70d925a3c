"""How much of a log nobody needs any more."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from ekiben.dead_letters import Actor, Selection, Trim
from ekiben.dead_letters.trimming import trim_lanes
from ekiben.groups import Standing
from unit.dead_letters.building import bury, grave, letter_id

ANN = Actor("ann", "seen to")


def standing(committed: int | None, *, start: int = 0, end: int = 10) -> Standing:
    return Standing("g.replay", "t.g.replay", 2, committed, start, end)


async def trims(ekiben):
    found = await ekiben.dead_letters(topic="ekiben.prediction-requests").trimmable()
    return {trim.place.partition: trim for trim in found}


async def discard(ekiben, *offsets):
    letters = ekiben.dead_letters(Selection(ids=frozenset(map(letter_id, offsets))))
    assert [chunk async for chunk in letters.discard(ANN)]


async def test_all_before_the_first_that_nobody_has_seen_to_may_go(cluster, ekiben):
    for offset in (1, 2, 3, 4):
        bury(cluster, offset=offset)
    await discard(ekiben, 1, 2, 4)
    found = await trims(ekiben)
    place = TopicPartition(grave().dead_letters, 3)
    assert found[3] == Trim(place, start=0, until=2, end=4, stops_at=letter_id(3))
    assert (found[3].removed, found[3].kept) == (2, 2)


async def test_where_all_is_seen_to_all_may_go_and_where_nothing_is_nothing_goes(cluster, ekiben):
    bury(cluster, offset=1, partition=0)
    assert (await trims(ekiben))[0].removed == 0
    letters = ekiben.dead_letters()
    assert [chunk async for chunk in letters.discard(ANN)]
    found = await trims(ekiben)
    assert (found[0].removed, found[0].kept, found[0].stops_at) == (1, 0, None)


async def test_what_came_back_as_another_attempt_may_go_and_the_attempt_stays(cluster, ekiben):
    bury(cluster, offset=7, attempt=1)
    bury(cluster, offset=7, attempt=2)
    found = await trims(ekiben)
    assert (found[3].removed, found[3].stops_at) == (1, letter_id(7, attempt=2))


async def test_a_look_is_no_seeing_to_it(cluster, ekiben):
    await ekiben.dead_letters().reveal(bury(cluster, offset=1), ANN)
    assert (await trims(ekiben))[3].removed == 0


def test_of_a_lane_goes_what_its_group_has_finished():
    finished, open_, never = trim_lanes(
        [standing(10), standing(4), standing(None, start=3)],
    )
    assert (finished.removed, finished.kept, finished.stops_at) == (10, 0, None)
    assert (open_.removed, open_.kept, open_.stops_at) == (4, 6, "t.g.replay/2/4")
    assert (never.removed, never.kept) == (0, 7)


@pytest.mark.parametrize("gap", [standing(100), standing(4, start=6)])
def test_of_a_lane_with_a_gap_nothing_goes_for_nobody_can_tell_what_was_finished(gap):
    (kept,) = trim_lanes([gap])
    assert (kept.removed, kept.kept) == (0, gap.end - gap.start)
    assert kept.stops_at == gap.skipping


async def test_what_died_on_a_topic_made_anew_is_open_although_an_older_letter_had_its_id(cluster, ekiben):
    bury(cluster, offset=1)
    bury(cluster, offset=1, attempt=2)
    assert [chunk async for chunk in ekiben.dead_letters().discard(ANN)]
    bury(cluster, offset=1, timestamp="1999999999999", failed_at="2033-05-18T03:33:20Z")
    (found,) = [each async for each in ekiben.dead_letters().unsettled()]
    assert (found.id, found.timestamp) == (letter_id(1), 1999999999999)
    assert not (await ekiben.dead_letters().look_into(letter_id(1))).is_settled
    assert (await trims(ekiben))[3].removed == 2
