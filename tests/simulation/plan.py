"""What a seed decides before the start: the system, what it is asked, and what goes wrong when.

Each seed takes a part of the kinds of faults only (swarm testing, Groce et al. 2012): where all of them
come all the time, none gets far enough to meet the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from ekiben_bus.memory import Errand
from simulation.weather import Climate

PREFIX = "simulated."
MODELS = ("delay", "weather", "price")
_MOST_HANGS = 2


class Behaviour(StrEnum):
    """What the service does with a request."""

    ANSWER = "answer"
    SCORE = "score"
    RETRY = "retry"
    EXHAUST = "exhaust"
    PARK = "park"
    HOLD = "hold"
    BUG = "bug"
    LETTER = "letter"
    SLOW = "slow"
    HANG = "hang"
    BROKEN = "broken"


class FaultKind(StrEnum):
    """What goes wrong."""

    CRASH = "crash"
    PAUSE = "pause"
    RESTART = "restart"
    JOIN = "join"
    FORGET_COMMITS = "forget commits"
    REFUSE_RECORDS = "refuse records"
    REFUSE_COMMITS = "refuse commits"
    STEP_CLOCK = "step the clock"


@dataclass(frozen=True)
class Ask:
    """One record that a user writes. `then` is what becomes of its scored event."""

    at_s: float
    partition: int
    request_id: str | None
    model: str
    behaviour: Behaviour
    times: int = 1
    seconds: float = 0.0
    then: Behaviour = Behaviour.ANSWER


@dataclass(frozen=True)
class Fault:
    """`target` chooses a process, or a topic, of those that there are."""

    at_s: float
    kind: FaultKind
    for_s: float
    target: int


@dataclass(frozen=True)
class Outage:
    """When an endpoint does not answer."""

    from_s: float
    until_s: float


@dataclass(frozen=True)
class Plan:
    """A run, as far as it is decided before its start."""

    seed: int
    partitions: int
    gateways: int
    synthesizers: int
    asks: tuple[Ask, ...]
    faults: tuple[Fault, ...]
    outages: tuple[Outage, ...]
    climate: Climate
    calm_from_s: float
    replays: int
    batch_records: int
    batch_timeout_s: float
    commit_interval_s: float
    retry_delays_s: tuple[float, float, float]
    skew_s: float


def plan(seed: int) -> Plan:
    """The plan of a seed."""
    random = Random(seed)
    calm_from_s = random.choice((4.0, 8.0, 16.0))
    synthesizers = random.choice((0, 0, 1, 2))
    batch_timeout_s = random.choice((3.0, 10.0, 60.0))
    partitions = random.randint(1, 4)
    behaviours = _behaviours(random, has_synthesizer=synthesizers > 0)
    return Plan(
        seed=seed,
        partitions=partitions,
        gateways=random.choice((1, 2, 2, 3)),
        synthesizers=synthesizers,
        asks=_asks(random, partitions, behaviours, calm_from_s, batch_timeout_s),
        faults=_faults(random, calm_from_s),
        outages=_outages(random, calm_from_s),
        climate=_climate(random),
        calm_from_s=calm_from_s,
        replays=random.choice((0, 0, 3)),
        batch_records=random.choice((1, 3, 8, 64)),
        batch_timeout_s=batch_timeout_s,
        commit_interval_s=random.choice((0.25, 0.5, 1.0)),
        retry_delays_s=random.choice(((0.3, 0.6, 1.2), (1.0, 2.0, 4.0))),
        skew_s=random.choice((0.0, 0.02, 0.5)),
    )


def _behaviours(random: Random, *, has_synthesizer: bool) -> list[Behaviour]:
    special = [Behaviour(b) for b in Behaviour if b not in (Behaviour.ANSWER, Behaviour.SCORE)]
    chosen = random.sample(special, random.randint(0, 6))
    plain = Behaviour.SCORE if has_synthesizer else Behaviour.ANSWER
    return [plain, Behaviour.ANSWER, plain, plain, *chosen]


def _asks(
    random: Random, partitions: int, behaviours: list[Behaviour], until_s: float, batch_timeout_s: float
) -> tuple[Ask, ...]:
    hangs = iter((Behaviour.HANG,) * _MOST_HANGS)
    return tuple(
        Ask(
            at_s=random.choice((0.0, random.random() * until_s)),
            partition=random.randrange(partitions),
            request_id=random.choices((f"r{number}", f"r{random.randrange(number + 1)}", None), (18, 1, 1))[
                0
            ],
            model=random.choice(MODELS),
            behaviour=behaviour,
            times=random.randint(1, 3),
            seconds=batch_timeout_s * 1.2 if behaviour is Behaviour.HANG else random.random(),
            then=Behaviour.BUG if random.random() < 0.05 else Behaviour.ANSWER,
        )
        for number in range(random.choice((10, 40, 120)))
        for drawn in [random.choice(behaviours)]
        for behaviour in [next(hangs, Behaviour.SLOW) if drawn is Behaviour.HANG else drawn]
    )


def _faults(random: Random, until_s: float) -> tuple[Fault, ...]:
    kinds = random.sample(list(FaultKind), random.randint(0, 4))
    if not kinds:
        return ()
    faults = [
        Fault(
            at_s=random.random() * until_s,
            kind=random.choice(kinds),
            for_s=random.choice((0.2, 1.0, 4.0, 8.0)) * (0.5 + random.random()),
            target=random.randrange(1000),
        )
        for _ in range(random.randint(1, 8))
    ]
    return tuple(sorted(faults, key=lambda fault: fault.at_s))


def _outages(random: Random, until_s: float) -> tuple[Outage, ...]:
    starts = [random.random() * until_s for _ in range(random.randint(0, 2))]
    return tuple(Outage(start, start + random.random() * 5) for start in starts)


def _climate(random: Random) -> Climate:
    suffering = random.sample(list(Errand), random.randint(0, 4))
    return Climate(
        latency_s=random.choice((0.002, 0.02)),
        slow=random.choice((0.0, 0.0, 0.02, 0.2)),
        slow_s=random.choice((0.2, 1.0, 3.0)),
        timeout_s=random.choice((0.5, 2.0)),
        bad={errand: random.choice((0.03, 0.2)) for errand in suffering},
    )
