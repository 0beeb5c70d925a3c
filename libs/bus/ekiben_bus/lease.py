"""For how long a consumer may take its partitions for its own without asking the group again."""

from __future__ import annotations

import math


class Lease:
    """Renewed by each answer of the group coordinator; times are a monotonic clock's, in seconds.

    A process that was stopped, or cut off from the coordinator, is taken for dead after its session
    timeout, and its partitions go to others while it still holds their records.
    """

    def __init__(self, duration_s: float) -> None:
        self._duration_s = duration_s
        self._until = -math.inf

    def renew(self, asked_at: float) -> None:
        """The group confirmed us; counted from when it was asked."""
        self._until = max(self._until, asked_at + self._duration_s)

    def end(self) -> None:
        """The partitions are given back."""
        self._until = -math.inf

    def holds(self, now: float) -> bool:
        """Whether nobody else can have been given our partitions yet."""
        return now < self._until
