from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

from aiokafka import TopicPartition

from ekiben_bus.polling import PolledConsumer

PLACE, OTHER = TopicPartition("t", 0), TopicPartition("t", 1)


def records(*offsets):
    return [SimpleNamespace(offset=offset) for offset in offsets]


@dataclass
class Scripted:
    """A consumer that hands out what it is told, after what happens `meanwhile`."""

    found: dict
    meanwhile: Callable[[], None] = lambda: None
    sought: list = field(default_factory=list)

    async def getmany(self, *, timeout_ms=0, max_records=None):
        await asyncio.sleep(0)
        self.meanwhile()
        return self.found

    def assignment(self):
        return {PLACE, OTHER}

    def seek(self, place, offset):
        self.sought.append((place, offset))


def holder(generation=1, *, is_assigned=True):
    return SimpleNamespace(generation=generation, is_assigned=is_assigned)


async def test_what_is_taken_is_of_the_assignment_at_the_moment_it_was_taken():
    of = holder()
    consumer = Scripted({PLACE: records(0, 1)}, lambda: setattr(of, "generation", 2))
    polling = PolledConsumer(consumer, of)
    assert await polling.getmany(timeout_ms=10) == consumer.found
    assert polling.generation == 2
    assert consumer.sought == []


async def test_what_is_taken_during_a_rebalance_is_given_back_at_once():
    of = holder()
    consumer = Scripted({PLACE: records(4, 5), OTHER: records(8)}, lambda: setattr(of, "is_assigned", False))
    assert await PolledConsumer(consumer, of).getmany() == {}
    assert sorted(consumer.sought) == [(PLACE, 4), (OTHER, 8)]


def test_in_all_else_it_is_the_consumer_inside():
    assert PolledConsumer(Scripted({}), holder()).assignment() == {PLACE, OTHER}
