"""What is committed, when the group is asked, and what its refusal means."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from ekiben_bus.commits import Commits, LostPartitionsError

PLACE = TopicPartition("t", 0)


class RecordingConsumer:
    """As much of a consumer as commits need."""

    def __init__(self) -> None:
        self.commits: list[dict[TopicPartition, int]] = []
        self.refusal: Exception | None = None

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if not offsets:
            raise ValueError(offsets)  # as aiokafka does
        if self.refusal is not None:
            raise self.refusal
        self.commits.append(dict(offsets))


class SlowConsumer(RecordingConsumer):
    """Commits once it is told to proceed."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived, self.proceed = asyncio.Event(), asyncio.Event()

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.arrived.set()
        await self.proceed.wait()
        await super().commit(offsets)


def commits(lease_s: float = 60) -> tuple[Commits, RecordingConsumer]:
    return Commits("t", lease_s), RecordingConsumer()


async def test_nothing_finished_is_nothing_to_commit():
    ours, consumer = commits()
    await ours.flush(consumer)
    assert consumer.commits == []


async def test_what_is_finished_is_committed_once():
    ours, consumer = commits()
    ours.finish({PLACE: 7})
    await ours.flush(consumer)
    await ours.flush(consumer)
    assert consumer.commits == [{PLACE: 7}]


async def test_a_commit_that_failed_is_made_again():
    ours, consumer = commits()
    ours.finish({PLACE: 7})
    consumer.refusal = CommitFailedError()
    await ours.flush(consumer)
    consumer.refusal = None
    await ours.flush(consumer)
    assert consumer.commits == [{PLACE: 7}]


async def test_within_the_lease_the_group_is_not_asked_before_publishing():
    ours, consumer = commits()
    ours.assigned()
    await ours.prove(consumer, {PLACE: 3})
    assert consumer.commits == []


async def test_without_a_lease_the_group_is_asked_by_committing_what_was_reached():
    ours, consumer = commits()
    await ours.prove(consumer, {PLACE: 3})
    assert consumer.commits == [{PLACE: 3}]
    await ours.prove(consumer, {PLACE: 3})
    assert consumer.commits == [{PLACE: 3}]


async def test_a_proof_never_commits_behind_what_is_finished():
    ours, consumer = commits(lease_s=0)
    ours.finish({PLACE: 9})
    await ours.prove(consumer, {PLACE: 3})
    assert consumer.commits == [{PLACE: 9}]


async def test_whoever_is_refused_has_lost_its_partitions():
    ours, consumer = commits(lease_s=0)
    consumer.refusal = CommitFailedError("the group has already rebalanced")
    with pytest.raises(LostPartitionsError, match=r"already rebalanced.*nothing was published"):
        await ours.prove(consumer, {PLACE: 3})


async def test_partitions_that_were_given_back_are_never_committed_again():
    ours, consumer = commits()
    ours.finish({PLACE: 7})
    ours.forget([PLACE])
    await ours.flush(consumer)
    assert consumer.commits == []


async def test_a_group_that_was_left_is_told_nothing_of_it_when_it_is_joined_again():
    ours, consumer = commits()
    ours.assigned()
    ours.finish({PLACE: 7})
    ours.forget_all()
    await ours.flush(consumer)
    assert consumer.commits == []
    await ours.prove(consumer, {PLACE: 3})
    assert consumer.commits == [{PLACE: 3}], "the lease is over, too"


async def test_one_commit_at_a_time_so_that_a_late_one_undoes_nothing():
    ours, consumer = Commits("t", 60), SlowConsumer()
    ours.finish({PLACE: 1})
    first = asyncio.create_task(ours.flush(consumer))
    await consumer.arrived.wait()
    ours.finish({PLACE: 2})
    second = asyncio.create_task(ours.flush(consumer))
    consumer.proceed.set()
    await asyncio.gather(first, second)
    assert consumer.commits == [{PLACE: 1}, {PLACE: 2}]


async def test_a_commit_that_waited_for_one_that_said_it_all_says_nothing():
    ours, consumer = Commits("t", 60), SlowConsumer()
    ours.finish({PLACE: 1})
    both = [asyncio.create_task(ours.flush(consumer)) for _ in range(2)]
    await consumer.arrived.wait()
    consumer.proceed.set()
    await asyncio.gather(*both)
    assert consumer.commits == [{PLACE: 1}]
