"""The cluster of a simulation: the one in memory, where each append and each commit is told to a watcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import Protocol

from aiokafka import TopicPartition

from ekiben_bus.memory import MemoryCluster, StoredRecord, Wire
from ekiben_bus.memory.group import Group
from ekiben_bus.memory.log import NewRecord


class Watcher(Protocol):
    """Hears at once of all that is kept."""

    def appended(self, record: StoredRecord) -> None: ...
    def committed(self, group: str, offsets: Mapping[TopicPartition, int]) -> None: ...


class SimulatedCluster(MemoryCluster):
    """The broker's own timers run in the context in which it was made."""

    def __init__(self, clock: Callable[[], float], wire: Wire, watcher: Watcher) -> None:
        super().__init__(clock, wire)
        self._watcher = watcher
        self._broker = copy_context()
        self.groups: dict[str, WatchedGroup] = {}

    def group(self, name: str) -> Group:
        if name not in self.groups:
            self.groups[name] = WatchedGroup(name, self.partitions, self._broker, self._watcher)
        return self.groups[name]

    def keep(self, partition: TopicPartition, records: Sequence[NewRecord]) -> None:
        before = self.log(partition).end
        super().keep(partition, records)
        for record in self.log(partition).read(before, len(records)):
            self._watcher.appended(record)


class WatchedGroup(Group):
    """Tells each commit that it accepts."""

    def __init__(self, name: str, partitions: Mapping[str, int], context, watcher: Watcher) -> None:
        super().__init__(partitions, context)
        self._name = name
        self._watcher = watcher

    def commit(self, member_id: str, generation: int, offsets: Mapping[TopicPartition, int]) -> None:
        super().commit(member_id, generation, offsets)
        self._watcher.committed(self._name, offsets)

    def fail_over(self, committed: Mapping[TopicPartition, int]) -> None:
        """Another broker takes over, who knows of these offsets and of no member."""
        self.committed = dict(committed)
        for member in list(self._members):
            self.leave(member)
