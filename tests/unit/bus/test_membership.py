"""What a membership knows of its assignments, without a group."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from ekiben_bus.membership import Membership, Reader
from ekiben_bus.memory import MemoryCluster
from ekiben_bus.settings import ServiceSettings

PLACE = TopicPartition("t", 0)
RECORD = SimpleNamespace(partition=0, offset=7)


class Stub:
    """A consumer of one partition."""

    def __init__(self):
        self.sought = []
        self.breaks = False

    async def getmany(self, *, timeout_ms=0, max_records=None):
        if self.breaks:
            raise EOFError("a batch that does not decompress")
        return {PLACE: [RECORD]}

    async def commit(self, offsets):
        raise AssertionError("nothing is finished here")

    def assignment(self):
        return {PLACE}

    def seek(self, place, offset):
        self.sought.append((place, offset))


@pytest.fixture
async def membership():
    async def nothing(_):
        return None

    stub = Stub()
    cluster = SimpleNamespace(consumer=lambda **_: stub, producer=MemoryCluster().producer)
    membership = Membership("t", "g", cluster, ServiceSettings(), Reader(nothing, nothing))
    membership._build_consumer()
    await membership.on_assigned({PLACE})
    return membership, stub


async def test_what_was_read_before_a_revocation_is_not_gone_back_to_after_it(membership):
    of, stub = membership
    polled = await of.poll(100)
    assert polled.records == [RECORD]
    assert of.is_in(polled.generation)
    of.rewind({PLACE: 5}, polled.generation)
    assert stub.sought == [(PLACE, 5)]
    await of.on_revoked({PLACE})
    await of.on_assigned({PLACE})
    assert not of.is_in(polled.generation)
    of.rewind({PLACE: 7}, polled.generation)
    assert stub.sought == [(PLACE, 5)], "the next owner may have committed less, or more"


async def test_a_poll_that_cannot_read_loses_nothing_that_was_read_before(membership):
    of, stub = membership
    stub.breaks = True
    polled = await of.poll(100)
    assert list(polled.records) == []
    assert of.is_in(polled.generation)
