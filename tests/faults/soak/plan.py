"""What the nemesis will do, from a seed: every kind of fault at least once, all in random order. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product


class Victim(StrEnum):
    """Whose processes are struck."""

    GATEWAY = "inference-gateway"
    SYNTHESIZER = "synthesizer"
    MODEL = "model server"
    BROKER = "broker"


class Blow(StrEnum):
    """What is done to them."""

    KILL = "killed"  # SIGKILL
    PAUSE = "paused"  # SIGSTOP, and SIGCONT later
    RESTART = "ended"  # SIGTERM


KINDS = tuple(product(Victim, Blow))


_SHARPEST = 3
"""How many times as often a service is killed as anything else, once each kind has had its turn: only
who is killed between a commit and a publish shows that the two are in the right order."""

_PAUSE_S = 4.0, 14.0
_HOLD_S = 2.0, 10.0


@dataclass(frozen=True)
class Planned:
    """One fault: so long after the one before began, and held for so long where somebody has to lift it.

    `draw` chooses among several brokers or model servers.
    """

    victim: Victim
    blow: Blow
    after_s: float
    hold_s: float
    draw: int

    @property
    def is_held(self) -> bool:
        """Whether nobody but the nemesis would end it."""
        return self.victim is Victim.BROKER or self.blow is Blow.PAUSE


def plan(faults: int, seed: int) -> Sequence[Planned]:
    """The faults of a soak, the same for the same seed.

    Some are held for longer than a consumer's session lasts, most for shorter. While one is held the
    next may fall already, on somebody else: a service that is killed while nothing can be published.

    Raises:
        ValueError: there are fewer faults than kinds of them.
    """
    if faults < len(KINDS):
        raise ValueError(f"expected at least {len(KINDS)} faults, one of each kind, found {faults}")
    chance = random.Random(seed)
    kinds = [*KINDS, *chance.choices(KINDS, map(_weight, KINDS), k=faults - len(KINDS))]
    chance.shuffle(kinds)
    planned: list[Planned] = []
    for victim, blow in kinds:
        after_s = _after(planned[-1] if planned else None, chance)
        planned.append(Planned(victim, blow, after_s, chance.uniform(*_HOLD_S), chance.randrange(1 << 30)))
    return planned


def _weight(kind: tuple[Victim, Blow]) -> int:
    victim, blow = kind
    return _SHARPEST if blow is Blow.KILL and victim in (Victim.GATEWAY, Victim.SYNTHESIZER) else 1


def _after(before: Planned | None, chance: random.Random) -> float:
    if before is not None and before.is_held and chance.random() < 2 / 3:
        return chance.uniform(0.2, before.hold_s)
    return chance.uniform(*_PAUSE_S)
