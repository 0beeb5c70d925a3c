"""Reading dead letters off their topics, as many as there are: streamed, what is known of them on disk."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from ekiben.connection import Connection
from ekiben.dead_letters.actions import read_action
from ekiben.dead_letters.graves import Grave
from ekiben.dead_letters.ledger import Ledger
from ekiben.dead_letters.letter import DeadLetter, is_first, parse
from ekiben.dead_letters.trimming import Trim, trim_dead_letters
from ekiben.reading import Log
from ekiben_bus.records import Record
from ekiben_contracts.operations import DeadLetterRevealed

_TOLD_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reading is: records of one topic, of how many, in which of its rounds."""

    topic: str
    read: int
    total: int


Watch = Callable[[Progress], None]


def _nobody(_progress: Progress) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Search:
    """Reads logs to where they end, and tells whoever watches."""

    connection: Connection
    watch: Watch = field(default=_nobody)

    async def letters(
        self, graves: Sequence[Grave], ledger: Ledger
    ) -> AsyncGenerator[tuple[DeadLetter, Grave]]:
        """Every dead letter there is now, each id once, settled or not."""
        for grave in graves:
            async for record in self.records(grave.dead_letters):
                letter = parse(record)
                if ledger.is_new(letter):
                    yield letter, grave

    async def unsettled(
        self, graves: Sequence[Grave], actions: str, ledger: Ledger
    ) -> AsyncGenerator[tuple[DeadLetter, Grave]]:
        """Those that nobody has seen to yet, as things were when this began.

        Two rounds: what came back lies behind what it came back from, so all is read once before.
        """
        for grave, end in await self._all_known(graves, actions, ledger):
            if not any(end.values()):
                continue
            async for record in self.records(grave.dead_letters, end):
                letter = parse(record)
                if not ledger.is_settled(letter) and ledger.is_new(letter):
                    yield letter, grave

    async def trimmable(self, graves: Sequence[Grave], actions: str, ledger: Ledger) -> Sequence[Trim]:
        """How much of the beginning of each topic has been seen to."""
        known = await self._all_known(graves, actions, ledger)
        return [trim for grave, ends in known for trim in await self._trims(grave, ends, ledger)]

    async def _trims(
        self, grave: Grave, ends: Mapping[TopicPartition, int], ledger: Ledger
    ) -> Sequence[Trim]:
        first_open: dict[TopicPartition, tuple[int, DeadLetter]] = {}
        async with self.connection.whole_log(grave.dead_letters) as log:
            async for record in self._watched(grave.dead_letters, log, ends):
                place = TopicPartition(record.topic, record.partition)
                if place not in first_open and not ledger.is_settled(letter := parse(record)):
                    first_open[place] = (record.offset, letter)
            return trim_dead_letters(await log.starts(), ends, first_open)

    async def _all_known(
        self, graves: Sequence[Grave], actions: str, ledger: Ledger
    ) -> Sequence[tuple[Grave, Mapping[TopicPartition, int]]]:
        """Where each ends now, once the ledger knows what came back and what was done up to there."""
        ends = [(grave, await self._note_returns(grave, ledger)) for grave in graves]
        await self._settle(actions, ledger)
        return ends

    async def _note_returns(self, grave: Grave, ledger: Ledger) -> Mapping[TopicPartition, int]:
        async with self.connection.whole_log(grave.dead_letters) as log:
            ends = await log.ends()
            async for record in self._watched(grave.dead_letters, log, ends):
                if not is_first(record):
                    ledger.note_return(parse(record))
        return ends

    async def _settle(self, actions: str, ledger: Ledger) -> None:
        async for record in self.records(actions):
            action = read_action(record)
            if action is not None and not isinstance(action, DeadLetterRevealed):
                ledger.settle(action.dead_letter, action.acted_at)

    async def records(
        self, topic: str, ends: Mapping[TopicPartition, int] | None = None
    ) -> AsyncGenerator[Record]:
        """The records of a topic, up to these ends or to where it ends now."""
        async with self.connection.whole_log(topic) as log:
            async for record in self._watched(topic, log, await log.ends() if ends is None else ends):
                yield record

    async def _watched(
        self, topic: str, log: Log, ends: Mapping[TopicPartition, int]
    ) -> AsyncGenerator[Record]:
        total, read = await log.count_to(ends), 0
        async for record in log.read_to(ends):
            yield record
            read += 1
            if read % _TOLD_EVERY == 0:
                self.watch(Progress(topic, read, total))
        self.watch(Progress(topic, read, total))
