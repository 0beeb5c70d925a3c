"""The client's side of a group: joins, shows that it lives, joins again where it has to, as aiokafka does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from ekiben_bus.memory.group import NO_GENERATION, NOBODY, Group, Terms
from ekiben_bus.memory.wire import Errand, Request, Wire

_AGAIN_IN_S = 0.1
_NOT_OURS = (UnknownMemberIdError, IllegalGenerationError, RebalanceInProgressError)


class Owner(Protocol):
    """Whose partitions they are. Neither call is ever cancelled."""

    async def revoke(self) -> None: ...
    async def take(self, partitions: set[TopicPartition]) -> None: ...


class GroupMember:
    """Heartbeats go on while the owner lets go of its partitions, and stop only to join."""

    def __init__(
        self, group: Group, name: str, wire: Wire, terms: Terms, heartbeat_s: float, owner: Owner
    ) -> None:
        self._group = group
        self._name = name
        self._wire = wire
        self._terms = terms
        self._heartbeat_s = heartbeat_s
        self._owner = owner
        self._id = NOBODY
        self._generation = NO_GENERATION
        self._rejoin = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None
        self._living: asyncio.Task[None] | None = None
        self._calling = asyncio.Lock()

    def start(self) -> None:
        """Begin to join; the owner is told what it gets."""
        self._living = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Leave, once the owner is not being called."""
        async with self._calling:
            for task in (self._living, self._beating):
                if task is not None:
                    await _end(task)
        member_id, self._id, self._generation = self._id, NOBODY, NO_GENERATION
        if member_id != NOBODY:
            with contextlib.suppress(KafkaError):
                await self._wire.carry(self._request(Errand.LEAVE), partial(self._group.leave, member_id))

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit as who we are now. What was sent is not called back when the caller gives up.

        Raises:
            CommitFailedError: the group has gone on without us.
        """
        while True:
            try:
                await asyncio.shield(self._commit(dict(offsets)))
            except _NOT_OURS as error:
                self._lose(error)
                raise CommitFailedError("the group has already rebalanced") from error
            except KafkaError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(_AGAIN_IN_S)
            else:
                return

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        member_id, generation = self._id, self._generation
        await self._wire.carry(
            self._request(Errand.COMMIT), partial(self._group.commit, member_id, generation, offsets)
        )

    async def _live(self) -> None:
        while True:
            async with self._calling:
                await self._owner.revoke()
            if self._beating is not None:
                await _end(self._beating)
            partitions = await self._join()
            async with self._calling:
                await self._owner.take(partitions)
            self._beating = asyncio.create_task(self._beat())
            await self._rejoin.wait()

    async def _join(self) -> set[TopicPartition]:
        while True:
            if self._id == NOBODY:
                self._id = self._group.new_member()
            member_id = self._id
            try:
                joined = await self._wire.carry(
                    self._request(Errand.JOIN), partial(self._group.join, member_id, self._terms)
                )
                generation = await joined
                self._rejoin.clear()
                partitions = await self._wire.carry(
                    self._request(Errand.SYNC), partial(self._group.sync, member_id, generation)
                )
            except KafkaError as error:
                self._lose(error)
                await asyncio.sleep(_AGAIN_IN_S)
            else:
                # an answer to what was sent before may have made us forget who we are
                self._id, self._generation = member_id, generation
                return partitions

    async def _beat(self) -> None:
        told = False
        while self._id != NOBODY:
            await self._wait_for_turn(told=told)
            member_id, generation = self._id, self._generation
            try:
                await self._wire.carry(
                    self._request(Errand.HEARTBEAT), partial(self._group.heartbeat, member_id, generation)
                )
            except KafkaError as error:
                told = isinstance(error, RebalanceInProgressError)
                self._lose(error)

    async def _wait_for_turn(self, *, told: bool) -> None:
        """A heartbeat each interval. A rebalance is told at once: tests need not wait for the next one."""
        if told:
            await asyncio.sleep(self._heartbeat_s)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat_s):
                await self._group.rebalancing.wait()

    def _lose(self, error: KafkaError) -> None:
        if isinstance(error, UnknownMemberIdError | IllegalGenerationError):
            self._id, self._generation = NOBODY, NO_GENERATION
        if isinstance(error, _NOT_OURS):
            self._rejoin.set()

    def _request(self, errand: Errand) -> Request:
        return Request(errand, self._name)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
