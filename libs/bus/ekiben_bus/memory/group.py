"""The coordinator of one consumer group: members, generations, sessions, committed offsets.

The classic protocol with eager rebalances, as aiokafka's assignors make them: whoever joins or leaves
stops everybody, and a member that is silent for its session timeout is expelled. What a member asks for
under an old generation, or after it was expelled, is refused with the error that Kafka names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.errors import IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError

NOBODY = ""
NO_GENERATION = -1
_INSTANT_S = 1e-6


@dataclass(frozen=True, slots=True)
class Terms:
    """What a consumer joins with; times are in seconds."""

    topics: Sequence[str]
    session_s: float
    rebalance_s: float


@dataclass(slots=True)
class _Member:
    terms: Terms
    seen_at: float
    joining: asyncio.Future[int] | None = None


class Group:
    """Its timers run in a context of the broker's own, so that they outlive the client that asked."""

    def __init__(self, partitions: Mapping[str, int], context: Context) -> None:
        self.committed: dict[TopicPartition, int] = {}
        self.rebalancing = asyncio.Event()
        self._partitions = partitions
        self._context = context
        self._members: dict[str, _Member] = {}
        self._shares: dict[str, set[TopicPartition]] = {}
        self._generation = 0
        self._ids = 0

    def new_member(self) -> str:
        """An id to join with (KIP-394)."""
        self._ids += 1
        return f"member-{self._ids}"

    def join(self, member_id: str, terms: Terms) -> asyncio.Future[int]:
        """Take part in the next generation; its number comes once everybody has joined, or was expelled."""
        loop = asyncio.get_running_loop()
        if member_id not in self._members:
            self._members[member_id] = _Member(terms, loop.time())
            self._watch(member_id)
        member = self._members[member_id]
        member.terms, member.seen_at = terms, loop.time()
        joined = member.joining = member.joining or loop.create_future()
        self._begin()
        return joined

    def sync(self, member_id: str, generation: int) -> set[TopicPartition]:
        """The partitions of a member in this generation."""
        self._require(member_id, generation)
        if self.rebalancing.is_set():
            raise RebalanceInProgressError
        return set(self._shares[member_id])

    def heartbeat(self, member_id: str, generation: int) -> None:
        """The member lives."""
        self._require(member_id, generation)
        if self.rebalancing.is_set():
            raise RebalanceInProgressError

    def commit(self, member_id: str, generation: int, offsets: Mapping[TopicPartition, int]) -> None:
        """Keep offsets. Without a generation, as tools do it, only while the group has no member."""
        if generation != NO_GENERATION or self._members:
            self._require(member_id, generation)
        self.committed.update(offsets)

    def leave(self, member_id: str) -> None:
        """Go, and let the others share."""
        member = self._members.pop(member_id, None)
        if member is None:
            return
        if member.joining is not None and not member.joining.done():
            member.joining.set_exception(UnknownMemberIdError())
        self._begin()

    def _require(self, member_id: str, generation: int) -> None:
        if member_id not in self._members:
            raise UnknownMemberIdError
        if generation != self._generation:
            raise IllegalGenerationError
        self._members[member_id].seen_at = asyncio.get_running_loop().time()

    def _begin(self) -> None:
        if not self.rebalancing.is_set():
            self.rebalancing.set()
            patience = max((member.terms.rebalance_s for member in self._members.values()), default=0.0)
            self._later(patience, self._expel_the_late, self._generation)
        self._complete()

    def _expel_the_late(self, generation: int) -> None:
        if self.rebalancing.is_set() and generation == self._generation:
            self._members = {name: member for name, member in self._members.items() if member.joining}
            self._complete()

    def _complete(self) -> None:
        if any(member.joining is None for member in self._members.values()):
            return
        self._generation += 1
        self.rebalancing.clear()
        self._shares = self._assign()
        for member in self._members.values():
            assert member.joining is not None
            if not member.joining.done():
                member.joining.set_result(self._generation)
            member.joining, member.seen_at = None, asyncio.get_running_loop().time()

    def _assign(self) -> dict[str, set[TopicPartition]]:
        shares: dict[str, set[TopicPartition]] = {name: set() for name in self._members}
        for topic in sorted({topic for member in self._members.values() for topic in member.terms.topics}):
            readers = [name for name, member in self._members.items() if topic in member.terms.topics]
            for partition in range(self._partitions[topic]):
                shares[readers[partition % len(readers)]].add(TopicPartition(topic, partition))
        return shares

    def _watch(self, member_id: str) -> None:
        """Expel a member that was silent for too long; one that waits for the others is not."""
        member = self._members.get(member_id)
        if member is None:
            return
        now = asyncio.get_running_loop().time()
        left = member.terms.session_s - (0.0 if member.joining else now - member.seen_at)
        if left > _INSTANT_S:
            self._later(left, self._watch, member_id)
        else:
            self.leave(member_id)

    def _later(self, seconds: float, do: Callable[..., None], *arguments: object) -> None:
        asyncio.get_running_loop().call_later(seconds, do, *arguments, context=self._context)
