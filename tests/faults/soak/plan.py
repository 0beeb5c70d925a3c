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


def plan(faults: int, seed: int, *, pause_s: tuple[float, float] = (4.0, 14.0)) -> Sequence[Planned]:
    """The faults of a soak, the same for the same seed.

    Some are held for longer than a consumer's session lasts, most for shorter.

    Raises:
        ValueError: there are fewer faults than kinds of them.
    """
    if faults < len(KINDS):
        raise ValueError(f"expected at least {len(KINDS)} faults, one of each kind, found {faults}")
    chance = random.Random(seed)
    kinds = [*KINDS, *chance.choices(KINDS, k=faults - len(KINDS))]
    chance.shuffle(kinds)
    return [
        Planned(victim, blow, chance.uniform(*pause_s), chance.uniform(1.0, 9.0), chance.randrange(1 << 30))
        for victim, blow in kinds
    ]
