"""What the local system tells of itself while it starts, runs and stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a part of the local system stands."""

    STARTING = "starting"
    READY = "ready"
    DIED = "died"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Progress:
    """A part of the system (kafka, topics, inference-gateway, …) changed, and why."""

    name: str
    state: State
    detail: str = ""


OnProgress = Callable[[Progress], None]


def ignore(_: Progress) -> None:
    """Tell nobody."""
