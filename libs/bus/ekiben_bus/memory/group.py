"""A consumer group: eager rebalances, as aiokafka's assignors make them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import TopicPartition


class Member(Protocol):
    """A consumer, as its group sees it."""

    topics: Sequence[str]

    async def revoke(self) -> None: ...
    async def take(self, partitions: set[TopicPartition]) -> None: ...


class Group:
    """Members and committed offsets of one group. Every join and leave revokes all, then assigns all."""

    def __init__(self, partitions: Mapping[str, int]) -> None:
        self.committed: dict[TopicPartition, int] = {}
        self._partitions = partitions
        self._members: list[Member] = []
        self._rebalance = asyncio.Lock()

    async def join(self, member: Member) -> None:
        async with self._rebalance:
            await asyncio.gather(*(m.revoke() for m in self._members))
            self._members.append(member)
            await self._assign()

    async def leave(self, member: Member) -> None:
        async with self._rebalance:
            if member not in self._members:
                return
            self._members.remove(member)
            await asyncio.gather(*(m.revoke() for m in self._members))
            await self._assign()

    async def _assign(self) -> None:
        shares: dict[int, set[TopicPartition]] = {id(member): set() for member in self._members}
        for topic in sorted({topic for member in self._members for topic in member.topics}):
            readers = [member for member in self._members if topic in member.topics]
            for partition in range(self._partitions[topic]):
                shares[id(readers[partition % len(readers)])].add(TopicPartition(topic, partition))
        for member in self._members:
            await member.take(shares[id(member)])
