"""Where Bentos run: the port that the deployer starts and stops them through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Served:
    """One version of a model as a Bento: what a target is asked to run."""

    model: str
    version: str
    bento: str


@dataclass(frozen=True, slots=True)
class Instance:
    """What a target runs, as it is now. `deaths` in a row, and what is known of the last one.

    Those of `start` are complete; `instances` may not see how it does within.
    """

    served: Served
    url: str
    is_up: bool
    deaths: int = 0
    last_words: str | None = None


class Target(Protocol):
    """Runs Bentos. Every call may be repeated: it says what should be, not what to do."""

    async def start(self, served: Served) -> Instance:
        """See that this Bento runs, or is on its way; one that cannot start where it is is moved."""
        ...

    async def stop(self, model: str, version: str) -> None:
        """See that this version does not run; that it never did is fine."""
        ...

    async def instances(self) -> Sequence[Instance]:
        """Everything that should run here."""
        ...
