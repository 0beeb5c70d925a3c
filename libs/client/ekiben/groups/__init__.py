"""Consumer groups: where they stand in their topics, what waits for them, and how one goes on after a gap."""

from ekiben.groups.standing import Standing
from ekiben.groups.waiting import Waiting

__all__ = ["Standing", "Waiting"]
