"""A poll that fails after it took something of other partitions gives that back."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from ekiben_bus.careful import CarefulConsumer

SOUND, DAMAGED = TopicPartition("requests", 0), TopicPartition("requests", 1)


def batch() -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1 << 16)
    for offset in range(4):
        builder.append(offset, 1_700_000_000_000, b"key", b"value", [])
    return bytes(builder.build())


def damaged() -> bytes:
    changed = bytearray(batch())
    changed[-1] ^= 0xFF
    return bytes(changed)


class Fetched:
    """A consumer whose fetcher asks nobody: what it has fetched is given to it."""

    def __init__(self) -> None:
        self.consumer = CarefulConsumer(group_id="gateway")
        self.consumer.assign([SOUND, DAMAGED])
        self._subscription = self.consumer._subscription
        self._fetcher = fetcher.Fetcher(self.consumer._client, self._subscription, auto_offset_reset="none")
        self._fetcher._fetch_task.cancel()
        self.consumer._fetcher = self._fetcher
        self.consumer._coordinator = NoCoordinator()

    def put(self, place: TopicPartition, data: bytes) -> None:
        assignment = self._subscription.subscription.assignment
        records = fetcher.MemoryRecords(data)
        unpacked = fetcher.PartitionRecords(place, records, [], 0, None, None, True, 0)
        self._fetcher._records[place] = fetcher.FetchResult(
            place, assignment=assignment, partition_records=unpacked, backoff=0
        )
        self._fetcher._notify(next(iter(self._fetcher._fetch_waiters), None))

    def position(self, place: TopicPartition) -> int | None:
        return self._subscription.subscription.assignment.state_value(place)._position


class NoCoordinator:
    def check_errors(self) -> None: ...
    async def close(self) -> None: ...


@pytest.fixture
async def fetched(monkeypatch):
    monkeypatch.setattr("ekiben_bus.careful._AGAIN_IN_S", 0.0)
    made = Fetched()
    yield made
    await made.consumer.stop()


async def test_what_was_taken_before_the_poll_failed_is_read_again(fetched):
    fetched.consumer.seek(SOUND, 0)
    fetched.consumer.seek(DAMAGED, 0)
    fetched.put(SOUND, batch())
    fetched.put(DAMAGED, damaged())
    assert await fetched.consumer.getmany(timeout_ms=10) == {}
    assert fetched.position(SOUND) == 0
    assert "Invalid CRC" in fetched.consumer.trouble
    fetched.put(SOUND, batch())
    found = await fetched.consumer.getmany(timeout_ms=10)
    assert [record.offset for record in found[SOUND]] == [0, 1, 2, 3]


async def test_a_position_that_was_not_known_before_the_poll_is_asked_for_again(fetched):
    polling = asyncio.create_task(fetched.consumer.getmany(timeout_ms=10))
    while not fetched._fetcher._fetch_waiters:
        await asyncio.sleep(0)
    fetched.consumer.seek(SOUND, 0)
    fetched.consumer.seek(DAMAGED, 0)
    fetched.put(SOUND, batch())
    fetched.put(DAMAGED, damaged())
    assert await polling == {}
    assert fetched.position(SOUND) is None
    assert SOUND not in fetched._fetcher._records
