"""What to do about one child: a pure decision from what is wanted, what runs and the time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ekiben_deployer.supervisor.files import Child, Desired


class Action(Enum):
    """What the supervisor does to a child next."""

    NOTHING = "nothing"
    LAUNCH = "launch"
    MOURN = "mourn"  # it died: say why, wait, launch again
    TERMINATE = "terminate"
    KILL = "kill"
    REST = "rest"  # it stopped because it was told to
    FORGET = "forget"
    ABSOLVE = "absolve"  # it ran long enough: its deaths count no more


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient the supervisor is. Waits before a restart double from the first to the longest."""

    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    steady_after_s: float = 60.0
    stop_grace_s: float = 10.0

    def wait(self, deaths: int) -> float:
        """Seconds before the restart that follows this many deaths in a row."""
        doublings = min(max(deaths - 1, 0), 32)  # beyond that every wait is the longest
        return min(self.first_wait_s * 2**doublings, self.longest_wait_s)


def decide(
    desired: Desired | None, child: Child | None, *, alive: bool, now: float, policy: Policy
) -> Action:
    """The next action for one name. `desired` is None too for all children while shutting down."""
    if child is None:
        return Action.NOTHING if desired is None else Action.LAUNCH
    if child.stopping_since is not None:
        return _coming_down(child.stopping_since, alive=alive, now=now, policy=policy)
    if child.process is None:
        return _down(desired, child, now)
    if not alive:
        return Action.REST if desired is None else Action.MOURN
    return _up(desired, child, now - child.process.started, policy)


def _coming_down(since: float, *, alive: bool, now: float, policy: Policy) -> Action:
    if not alive:
        return Action.REST
    return Action.KILL if now - since >= policy.stop_grace_s else Action.NOTHING


def _down(desired: Desired | None, child: Child, now: float) -> Action:
    if desired is None:
        return Action.FORGET
    return Action.LAUNCH if now >= child.retry_at or desired != child.desired else Action.NOTHING


def _up(desired: Desired | None, child: Child, up_s: float, policy: Policy) -> Action:
    if desired != child.desired:
        return Action.TERMINATE
    return Action.ABSOLVE if child.deaths and up_s >= policy.steady_after_s else Action.NOTHING
