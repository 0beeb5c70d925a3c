"""What became of dead letters, counted and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben.dead_letters import Chunk, Why

MOST_TOLD = 100


@dataclass(slots=True)
class Tally:
    """Counts, and the first hundred by name. `verb` is replay or discard."""

    verb: str
    dry_run: bool
    moved: int = 0
    told: list[str] = field(default_factory=list[str])
    left_out: Counter[Why] = field(default_factory=Counter[Why])
    told_left_out: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    seen_to_before: int = 0
    unknown: list[str] = field(default_factory=list[str])
    interrupted: bool = False

    def add(self, chunk: Chunk) -> None:
        """Count one more step."""
        self.moved += len(chunk.moves)
        self.told += [move.id for move in chunk.moves[: MOST_TOLD - len(self.told)]]
        self.left_out.update(each.why for each in chunk.left_out)
        self.told_left_out += [
            {"id": each.id, "why": each.why, "detail": each.detail}
            for each in chunk.left_out[: MOST_TOLD - len(self.told_left_out)]
        ]

    def miss(self, ids: AbstractSet[str], found: AbstractSet[str]) -> None:
        """These were asked for by id and nothing was done; those that were `found` are seen to already."""
        self.seen_to_before = len(found)
        self.unknown = sorted(ids - found)

    @property
    def code(self) -> ExitCode:
        """How the command ended."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.left_out[Why.REFUSED]:
            return ExitCode.BAD_INPUT
        return ExitCode.NOT_FOUND if self.unknown else ExitCode.OK

    def as_document(self) -> dict[str, object]:
        """For JSON."""
        done = f"would_{self.verb}" if self.dry_run else f"{self.verb}ed"
        return {
            done: self.moved,
            "ids": self.told,
            "left_out": {str(why): self.left_out[why] for why in Why},
            "left_out_letters": self.told_left_out,
            "seen_to_before": self.seen_to_before,
            "unknown": self.unknown,
            "interrupted": self.interrupted,
        }

    def tell(self, output: Output) -> None:
        """For people: what was not done on standard error, the counts on standard output."""
        if output.as_json:
            output.document(self.as_document())
            return
        if self.dry_run:
            for one in self.told:
                output.text(f"would {self.verb}  {one}")
            if self.moved > len(self.told):
                output.text(f"and {self.moved - len(self.told)} more")
        for left_out in self.told_left_out:
            output.warning(f"left out  {left_out['id']}  {left_out['detail']}")
        for one in self.unknown:
            output.warning(f"there is no dead letter {one}")
        output.text(", ".join(self._counts()))

    def _counts(self) -> list[str]:
        if not (self.moved or self.left_out or self.seen_to_before or self.unknown or self.interrupted):
            return [f"nothing to {self.verb}: no dead letter is meant by this"]
        counts = [f"{self.moved} would be {self.verb}ed" if self.dry_run else f"{self.moved} {self.verb}ed"]
        if self.left_out[Why.RETURNING]:
            counts.append(f"{self.left_out[Why.RETURNING]} keep coming back (--include-returning)")
        if self.left_out[Why.REFUSED]:
            counts.append(f"{self.left_out[Why.REFUSED]} cannot be {self.verb}ed so")
        if self.seen_to_before:
            again = " (--again)" if self.verb == "replay" else ""
            counts.append(f"{self.seen_to_before} seen to before{again}")
        if self.interrupted:
            counts.append("interrupted; the same command goes on from here")
        return counts
