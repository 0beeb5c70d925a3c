"""Dead letters carried out in chunks: first what goes back, acknowledged, then the record that it did."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field

from ekiben.dead_letters.graves import Grave
from ekiben.dead_letters.letter import DeadLetter
from ekiben.dead_letters.pacing import Pace
from ekiben.dead_letters.replaying import LeftOut
from ekiben_bus.publishing import WireRecord


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be done about one dead letter: send it back, where there is a record, and say so."""

    id: str
    record: WireRecord | None
    action: WireRecord


@dataclass(slots=True)
class Chunk:
    """Dead letters that were seen to together."""

    moves: list[Move] = field(default_factory=list[Move])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    size: int = 0

    def add(self, decision: Move | LeftOut) -> None:
        """Take one more."""
        if isinstance(decision, LeftOut):
            self.left_out.append(decision)
            return
        self.moves.append(decision)
        self.size += decision.action.size + (decision.record.size if decision.record is not None else 0)


Decision = Callable[[DeadLetter, Grave], Move | LeftOut]


async def in_chunks(
    letters: AsyncIterator[tuple[DeadLetter, Grave]], decide: Decision, pace: Pace, limit: int | None
) -> AsyncGenerator[Chunk]:
    """Decide about each, until the limit is reached; a chunk is what is seen to at once."""
    chunk, moved = Chunk(), 0
    async for letter, grave in letters:
        chunk.add(decide(letter, grave))
        if pace.is_full(max(len(chunk.moves), len(chunk.left_out)), chunk.size):
            moved += len(chunk.moves)
            yield chunk
            chunk = Chunk()
        if limit is not None and moved + len(chunk.moves) >= limit:
            break
    if chunk.moves or chunk.left_out:
        yield chunk
