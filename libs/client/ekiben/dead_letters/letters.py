"""The dead letters of a selection: read, counted, looked into, replayed, discarded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from ekiben.dead_letters.acting import Chunk, Decision, Move, in_chunks
from ekiben.dead_letters.actions import Action, Actor, discarded, on_record, read_action, replayed, revealed
from ekiben.dead_letters.case import Case, gather
from ekiben.dead_letters.counting import Obituary, summarize
from ekiben.dead_letters.desk import Desk
from ekiben.dead_letters.graves import Grave, graves, graves_of
from ekiben.dead_letters.ledger import Ledger
from ekiben.dead_letters.letter import DeadLetter
from ekiben.dead_letters.pacing import Pace
from ekiben.dead_letters.replaying import LeftOut, Treatment, decide
from ekiben.dead_letters.searching import Watch
from ekiben.dead_letters.selection import Selection
from ekiben.dead_letters.trimming import Trim
from ekiben.errors import InvalidInputError, NotFoundError
from ekiben_bus.outbox import write
from ekiben_contracts.operations import DeadLetterRevealed

_AS_FAST_AS_IT_GOES = Pace()


class DeadLetters:
    """Iterate over it for every dead letter that is meant, each id once, settled or not.

        async for letter in ekiben.dead_letters(Selection(reason="unknown-model")): ...

    However many there are, memory stays bounded. `watch` is told how far a reading is.
    """

    def __init__(self, desk: Desk, selection: Selection, watch: Watch | None = None) -> None:
        self._desk = desk
        self._selection = selection
        self._search = desk.search(watch)

    async def __aiter__(self) -> AsyncGenerator[DeadLetter]:
        with Ledger() as ledger:
            async for letter, _ in self._search.letters(self._graves(), ledger):
                if self._selection.has(letter):
                    yield letter

    async def unsettled(self) -> AsyncGenerator[DeadLetter]:
        """Those that nobody has replayed or discarded."""
        async for letter, _ in self._found(again=False):
            yield letter

    async def count(self) -> Sequence[Obituary]:
        """Those that nobody has replayed or discarded, counted."""
        return await summarize(self.unsettled())

    async def look_into(self, id: str) -> Case:
        """One dead letter with its history.

        Raises:
            NotFoundError: there is none of this id.
        """
        with Ledger() as ledger:
            letters = (letter async for letter, _ in self._search.letters(self._graves_of(id), ledger))
            case = await gather(id, letters, self._actions())
        if case is None:
            raise NotFoundError(
                expected="the id of a dead letter, TOPIC/GROUP/PARTITION/OFFSET/ATTEMPT",
                found=f"none with the id {id}",
                attempt="`ekiben dlq list --ids`",
            )
        return case

    async def reveal(self, id: str, actor: Actor) -> Case:
        """The same, for somebody who is to see what is sensitive. It is on record before anything is seen.

        Raises:
            InvalidInputError: the actor has no name, or no reason.
            NotFoundError: there is none of this id.
            EkibenError: it cannot be recorded, as where the cluster lets nobody of this name do so.
        """
        if not actor.by.strip() or not (actor.why or "").strip():
            raise InvalidInputError(
                expected="who looks, and why: both are recorded",
                found=f"the name {actor.by!r} and the reason {actor.why!r}",
                attempt='Actor("ann", "its sender asks what arrived")',
            )
        case = await self.look_into(id)
        grave = next(one for one in self._graves_of(id) if one.dead_letters == case.letter.kept_on)
        now = self._desk.now()
        look = revealed(case.letter, grave, actor, now)
        await self._desk.connection.publish([write(on_record(look), self._desk.author, now)])
        return replace(case, looks=[*case.looks, look])

    async def replay(
        self,
        actor: Actor,
        treatment: Treatment | None = None,
        *,
        pace: Pace = _AS_FAST_AS_IT_GOES,
        limit: int | None = None,
        again: bool = False,
        dry_run: bool = False,
    ) -> AsyncGenerator[Chunk]:
        """Send them back to the group that failed, and to nobody else; each step once it is recorded.

        What was seen to before is passed over, unless `again`. A dry run yields the same and does nothing.
        """
        how = treatment or Treatment()

        def decision(letter: DeadLetter, grave: Grave) -> Move | LeftOut:
            record = decide(letter, grave, how)
            if isinstance(record, LeftOut):
                return record
            now = self._desk.now()
            return Move(
                letter.id, record, write(replayed(letter, grave, actor, how, now), self._desk.author, now)
            )

        async for chunk in self._carry_out(decision, pace, limit, again=again, dry_run=dry_run):
            yield chunk

    async def discard(
        self, actor: Actor, *, limit: int | None = None, dry_run: bool = False
    ) -> AsyncGenerator[Chunk]:
        """Record that they need no answer. They stay where they are, and are not listed any more."""

        def decision(letter: DeadLetter, grave: Grave) -> Move:
            now = self._desk.now()
            return Move(letter.id, None, write(discarded(letter, grave, actor, now), self._desk.author, now))

        async for chunk in self._carry_out(
            decision, _AS_FAST_AS_IT_GOES, limit, again=False, dry_run=dry_run
        ):
            yield chunk

    async def trimmable(self) -> Sequence[Trim]:
        """How much of the beginning of their topics has been seen to: that may go, and nothing else."""
        with Ledger() as ledger:
            return await self._search.trimmable(self._graves(), self._desk.actions, ledger)

    async def _carry_out(
        self, decision: Decision, pace: Pace, limit: int | None, *, again: bool, dry_run: bool
    ) -> AsyncGenerator[Chunk]:
        async with aclosing(in_chunks(self._found(again=again), decision, pace, limit)) as chunks:
            async for chunk in chunks:
                began = self._desk.monotonic()
                if not dry_run:
                    await self._publish(chunk)
                yield chunk
                wait_s = 0.0 if dry_run else pace.wait_s(len(chunk.moves), self._desk.monotonic() - began)
                if wait_s:
                    await self._desk.sleep(wait_s)

    async def _publish(self, chunk: Chunk) -> None:
        """Killed in between, it was sent and not recorded: sent again, it is the same record."""
        connection = self._desk.connection
        await connection.publish([move.record for move in chunk.moves if move.record is not None])
        await connection.publish([move.action for move in chunk.moves])

    async def _found(self, *, again: bool) -> AsyncGenerator[tuple[DeadLetter, Grave]]:
        with Ledger() as ledger:
            kept = self._graves()
            letters = (
                self._search.letters(kept, ledger)
                if again
                else self._search.unsettled(kept, self._desk.actions, ledger)
            )
            async with aclosing(letters):
                async for letter, grave in letters:
                    if self._selection.has(letter):
                        yield letter, grave

    def _graves_of(self, id: str) -> Sequence[Grave]:
        return graves_of([id], self._desk.author.naming)

    def _graves(self) -> Sequence[Grave]:
        naming, selection = self._desk.author.naming, self._selection
        if selection.ids:
            return graves_of(selection.ids, naming)
        found = graves(naming, selection.topic, selection.group)
        if not found:
            known = sorted(f"{grave.group} reads {grave.topic}" for grave in graves(naming))
            raise NotFoundError(
                expected=f"a group {selection.group or 'of any name'} that reads "
                f"{selection.topic or 'any topic'}",
                found="none in the contracts",
                attempt="; ".join(known),
            )
        return found

    async def _actions(self) -> AsyncGenerator[Action | DeadLetterRevealed]:
        async for record in self._search.records(self._desk.actions):
            action = read_action(record)
            if action is not None:
                yield action
