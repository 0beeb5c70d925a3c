"""Asking the cluster where its groups stand, and setting one where it can go on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from ekiben.connection import Connection
from ekiben.dead_letters.trimming import Trim, trim_lanes
from ekiben.errors import NotFoundError
from ekiben.groups.readers import Reader, readers
from ekiben.groups.standing import Standing
from ekiben.groups.waiting import Waiting, count_waiting
from ekiben_bus.naming import Naming
from ekiben_bus.records import Record
from ekiben_contracts.topics import KEPT_FOR_EVER, PARKED, RETRIES

_WAITING_ROOMS = (*RETRIES, PARKED)


@dataclass(frozen=True, slots=True)
class Groups:
    """The consumer groups of one system, as the contracts name them."""

    connection: Connection
    naming: Naming

    async def standings(self, *, topic: str | None = None, group: str | None = None) -> Sequence[Standing]:
        """Every partition that a group reads: committed, start and end.

        Raises:
            NotFoundError: no such group reads such a topic.
        """
        topics: defaultdict[str, list[str]] = defaultdict(list)
        for reader in self._readers(topic, group):
            topics[reader.group].append(reader.lane.topic)
        return [
            standing
            for name, read in topics.items()
            for standing in await self.connection.standings(name, read)
        ]

    async def finished(self, *, topic: str | None = None, group: str | None = None) -> Sequence[Trim]:
        """How much of the lanes that keep for ever their groups have finished. Raises likewise."""
        kept = {each.lane.topic for each in self._readers(topic, group) if each.lane.name in KEPT_FOR_EVER}
        standings = await self.standings(topic=topic, group=group)
        return trim_lanes(standing for standing in standings if standing.topic in kept)

    async def waiting(self, *, topic: str | None = None, group: str | None = None) -> Sequence[Waiting]:
        """What waits on the lanes beside the main one, for which endpoint, since when. Raises likewise."""
        return [
            waiting
            for reader in self._readers(topic, group)
            if reader.lane.name in _WAITING_ROOMS
            for waiting in await count_waiting(reader, self._unfinished(reader))
        ]

    async def skip_to_earliest(self, standings: Sequence[Standing]) -> None:
        """Commit where the logs start now.

        Raises:
            GroupInUseError: a group has members; nothing was changed for it.
        """
        for group in {standing.group for standing in standings}:
            offsets = {each.place: each.start for each in standings if each.group == group}
            await self.connection.commit(group, offsets)

    def _readers(self, topic: str | None, group: str | None) -> Sequence[Reader]:
        found = readers(self.naming, topic, group)
        if not found:
            known = sorted({f"{each.service} reads {each.source}" for each in readers(self.naming)})
            raise NotFoundError(
                expected=f"a group {group or 'of any name'} that reads {topic or 'any topic'}",
                found="none in the contracts",
                attempt="; ".join(known),
            )
        return found

    async def _unfinished(self, reader: Reader) -> AsyncGenerator[Record]:
        standings = await self.connection.standings(reader.group, [reader.lane.topic])
        if not any(standing.lag for standing in standings):
            return
        async with self.connection.whole_log(reader.lane.topic) as log:
            log.go_to({each.place: each.next for each in standings})
            async for record in log.read_to({each.place: each.end for each in standings}):
                yield record
