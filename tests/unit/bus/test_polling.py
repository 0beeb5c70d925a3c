from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

from aiokafka import TopicPartition

from ekiben_bus.polling import GatheringConsumer

PLACE, OTHER = TopicPartition("t", 0), TopicPartition("t", 1)


def records(*offsets):
    return [SimpleNamespace(offset=offset) for offset in offsets]


@dataclass
class Scripted:
    """A consumer that hands out what it is told; `meanwhile` happens before the second time."""

    polls: list
    meanwhile: object = None
    sought: list = field(default_factory=list)
    asked: int = 0

    async def getmany(self, *, timeout_ms=0, max_records=None):
        self.asked += 1
        if self.asked == 2 and self.meanwhile is not None:
            self.meanwhile()
        await asyncio.sleep(0)
        return self.polls.pop(0) if self.polls else {}

    def assignment(self):
        return {PLACE, OTHER}

    def seek(self, place, offset):
        self.sought.append((place, offset))


def holder(generation=1, *, is_assigned=True):
    return SimpleNamespace(generation=generation, is_assigned=is_assigned)


def offsets(found):
    return {place: [record.offset for record in of] for place, of in found.items()}


async def test_a_few_records_are_gathered_with_those_that_come_a_moment_later():
    consumer = Scripted([{PLACE: records(1)}, {PLACE: records(2, 3), OTHER: records(9)}])
    found = await GatheringConsumer(consumer, holder(), 0.001).getmany(timeout_ms=10)
    assert offsets(found) == {PLACE: [1, 2, 3], OTHER: [9]}


async def test_many_records_and_none_at_all_wait_for_nobody():
    for polled in ({PLACE: records(*range(64))}, {}):
        consumer = Scripted([polled])
        assert await GatheringConsumer(consumer, holder(), 0.001).getmany() == polled
        assert consumer.asked == 1


async def test_what_is_taken_during_a_rebalance_is_given_back_at_once():
    consumer = Scripted([{PLACE: records(4, 5), OTHER: records(8)}])
    assert await GatheringConsumer(consumer, holder(is_assigned=False), 0.001).getmany() == {}
    assert sorted(consumer.sought) == [(PLACE, 4), (OTHER, 8)]


async def test_what_was_taken_before_a_revocation_is_given_back_with_what_came_after():
    of = holder()
    consumer = Scripted([{PLACE: records(4)}, {PLACE: records(5)}])
    consumer.meanwhile = lambda: setattr(of, "is_assigned", False)
    assert await GatheringConsumer(consumer, of, 0.001).getmany() == {}
    assert consumer.sought[-1] == (PLACE, 4)


async def test_what_was_taken_under_an_assignment_that_is_over_is_dropped_without_a_seek():
    of = holder()
    consumer = Scripted([{PLACE: records(400)}, {PLACE: records(0, 1)}])
    consumer.meanwhile = lambda: setattr(of, "generation", 2)
    polling = GatheringConsumer(consumer, of, 0.001)
    assert offsets(await polling.getmany()) == {PLACE: [0, 1]}
    assert consumer.sought == [], "400 means nothing to the next assignment: it would skip what is before"
    assert polling.generation == 2
