"""When a service that died is started again: a pure decision, the clock is the caller's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits that double from `first_s` to `longest_s`; being ready for `healthy_s` starts anew."""

    first_s: float = 0.5
    longest_s: float = 30.0
    healthy_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after `wait_s`; it is the `deaths`-th death in a row."""

    wait_s: float
    deaths: int


def after_death(policy: BackOff, *, deaths: int, ready_at: float | None, died_at: float) -> Restart:
    """What to do about a death, after `deaths` earlier ones in a row.

    `ready_at` is None when it died before it was ever ready. Times are seconds of one clock.
    """
    was_healthy = ready_at is not None and died_at - ready_at >= policy.healthy_s
    in_a_row = 1 if was_healthy else deaths + 1
    doublings = min(in_a_row - 1, 64)  # 2**64 is beyond any longest wait, and no overflow
    return Restart(min(policy.first_s * 2**doublings, policy.longest_s), in_a_row)
